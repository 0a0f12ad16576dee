"""docs/adapters.md: adapters as short as a pattern is, and all that they are made of."""

from __future__ import annotations

import re

import pytest

from tests.docs.snippets import snippets
from tests.release.building import FOLDERS, ROOT

PAGE = ROOT / "docs" / "adapters.md"
INNER = frozenset({"__init__", "loop_connections", "page", "platforms", "studio"})
"""Modules of `neonup_web` that adapters reach by others."""


@pytest.mark.parametrize("name", ["flask_neon.py", "celery_neon.py"])
def test_an_adapter_has_at_most_40_lines(name: str) -> None:
    sources = (snippet.source for snippet in snippets(PAGE))
    (source,) = (source for source in sources if source.startswith(f"# {name}\n"))
    assert len(source.rstrip().splitlines()) - 1 <= 40


def test_each_module_of_the_toolkit_is_described_and_has_an_example() -> None:
    folder = ROOT / FOLDERS["neonup-web"] / "neonup_web"
    modules = {path.stem for path in folder.glob("*.py")} - INNER
    text = PAGE.read_text("utf-8")
    assert {*re.findall(r"^\|.*?`neonup_web\.(\w+)`", text, re.M)} <= modules
    assert {module for module in modules if f"`neonup_web.{module}`" in text} == modules
    assert {*re.findall(r"^from neonup_web\.(\w+) import", text, re.M)} == modules
