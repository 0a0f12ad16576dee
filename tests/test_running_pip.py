"""How tests run pip: what a network does to it once fails no test, and a failure has its words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.environments import run_pip

FAILS_ONCE = """#!/bin/sh
echo "$@" >> "$0.calls"
[ "$(wc -l < "$0.calls")" -gt 1 ] || { echo "Read timed out" >&2; exit 2; }
"""


def test_a_pip_that_failed_is_run_once_more(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(FAILS_ONCE)
    python.chmod(0o755)
    run_pip(python, "install", "shop")
    assert (tmp_path / "python.calls").read_text() == "-m pip install shop\n" * 2


def test_a_pip_that_goes_on_failing_is_quoted(tmp_path: Path) -> None:
    nowhere = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    with pytest.raises(AssertionError, match=r"failed 2 times(.|\n)*No matching distribution"):
        run_pip(sys.executable, "download", "neonup-is-not-there", environ=nowhere)
