"""Every snippet of the documentation is run, and every document is linked and links right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.snippets import LANGUAGES, Terminal, reader_environment, snippets

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "AGENTS.md")),
    ROOT / "core" / "README.md",
    *sorted((ROOT / "plugins").glob("*/README.md")),
    *GUIDES,
]
LINKING = [*DOCUMENTS, ROOT / "llms.txt"]
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(?P<text>.+)$", re.M)


def _ids(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("document", DOCUMENTS, ids=_ids(DOCUMENTS))
def test_snippets_do_what_they_say(document: Path, tmp_path: Path, neonup_home: Path) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    with Terminal(project, reader_environment(tmp_path, neonup_home)) as terminal:
        for snippet in snippets(document):
            assert snippet.language in LANGUAGES, f"{snippet.where}: {snippet.language!r}"
            terminal.run(snippet)


@pytest.mark.parametrize("document", LINKING, ids=_ids(LINKING))
def test_links_lead_somewhere(document: Path) -> None:
    for link in _LINK.finditer(document.read_text("utf-8")):
        target, _, anchor = link["target"].partition("#")
        if ":" in target:
            continue  # another site: nothing here asks the network
        there = (document.parent / target).resolve() if target else document
        assert there.exists(), f"{document.name}: {link[0]}"
        if anchor:
            assert anchor in _anchors(there), f"{document.name}: {link[0]}"


def test_every_guide_is_listed_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    listed = {link["target"] for link in _LINK.finditer(index)}
    assert {guide.name for guide in GUIDES} - {"README.md"} <= listed


def _anchors(document: Path) -> set[str]:
    headings = (heading["text"] for heading in _HEADING.finditer(document.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}
