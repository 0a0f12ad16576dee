"""The adapters in docs/adapters.md stay short enough to be read as a pattern."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.snippets import snippets

PAGE = Path(__file__).parents[2] / "docs" / "adapters.md"


@pytest.mark.parametrize("name", ["flask_neon.py", "celery_neon.py"])
def test_an_adapter_has_at_most_40_lines(name: str) -> None:
    (source,) = [one.source for one in snippets(PAGE) if one.source.startswith(f"# {name}\n")]
    assert len(source.rstrip().splitlines()) - 1 <= 40
