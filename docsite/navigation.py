"""What the site and llms.txt list: docs/README.md is the one place that says so.

mkdocs loads this module as a hook (mkdocs.yml); its events are described at
https://www.mkdocs.org/dev-guide/plugins/#events.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
INDEX = ROOT / "docs" / "README.md"

_SECTION = re.compile(r"^## (?P<title>.+)\n(?P<body>(?:(?!^## ).*\n?)*)", re.M)
_ENTRY = re.compile(
    r"^- \[(?P<title>.+?)\]\((?P<file>[\w-]+\.md)\): (?P<about>.+(?:\n  .+)*)", re.M
)
_HOW_TO_RUN = re.compile(r"^(```\w+) (?:background|fails)$", re.M)


@dataclass(frozen=True)
class Page:
    """A page of docs/: its title, its file, and a sentence about it, in Markdown."""

    title: str
    file: str
    about: str


def sections() -> dict[str, list[Page]]:
    """The pages in their order, by the heading that they stand under."""
    found = {
        section["title"]: [
            Page(entry["title"], entry["file"], " ".join(entry["about"].split()))
            for entry in _ENTRY.finditer(section["body"])
        ]
        for section in _SECTION.finditer(INDEX.read_text("utf-8"))
    }
    return {title: pages for title, pages in found.items() if pages}


def on_config(config: Any) -> Any:
    """Mkdocs' event: the navigation is the index's sections."""
    config.nav = [
        {"Documentation": INDEX.name},
        *(
            {title: [{page.title.replace("`", ""): page.file} for page in pages]}
            for title, pages in sections().items()
        ),
    ]
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Mkdocs' event: a code block's words for tests/docs/snippets.py are not for readers."""
    return _HOW_TO_RUN.sub(r"\1", markdown)
