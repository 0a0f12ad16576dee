"""The site builds without a remark, and its pages load nothing from other sites."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docsite import diagrams, llms, screenshots
from docsite.navigation import ROOT, sections

_LOADED = re.compile(
    r"<(?:script|img|iframe)[^>]* src=\"(?P<src>[^\"]+)|<link [^>]*href=\"(?P<href>[^\"]+)"
)


def test_the_site_builds_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    site = tmp_path / "site"
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(site)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = {page.name: page.read_text("utf-8") for page in site.glob("*.html")}
    assert {f"{Path(page.file).stem}.html" for part in sections().values() for page in part} < {
        *pages
    }
    for name, page in pages.items():
        for loaded in _LOADED.finditer(page):
            source = loaded["src"] or loaded["href"]
            assert ":" not in source and not source.startswith("//"), f"{name}: {loaded[0]}"
            assert name == "404.html" or (site / source.partition("?")[0]).exists(), (
                f"{name}: {source}"
            )


def test_llms_txt_lists_the_pages() -> None:
    assert llms.PATH.read_text("utf-8") == llms.text(), "make reference"


@pytest.mark.parametrize("name", diagrams.DRAWINGS)
def test_diagrams_are_what_their_data_says(name: str) -> None:
    assert diagrams.path(name).read_text("utf-8") == diagrams.DRAWINGS[name].svg(), "make reference"


def test_pictures_are_small_and_shown_with_a_text_in_their_place() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "docs").glob("*.md"))
    markdown = re.findall(r"!\[(?P<alt>[^]]+)\]\((?P<src>images/[^)]+)\)", pages)
    html = re.findall(r'<img src="(?P<src>[^"]+)" alt="(?P<alt>[^"]+)"', pages)
    dark = re.findall(r'srcset="([^"]+)"', pages)
    shown = {src for _, src in markdown} | {src for src, _ in html} | {*dark}
    there = [diagrams.path(name) for name in diagrams.DRAWINGS]
    there += [
        screenshots.path(page, look) for page in screenshots.PAGES for look in screenshots.LOOKS
    ]
    assert shown == {f"images/{path.name}" for path in there}
    assert {*screenshots.IMAGES.iterdir()} == {*there}
    for path in there:
        assert path.stat().st_size < screenshots.LARGEST, path.name
