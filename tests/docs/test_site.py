"""The site builds without a remark, and its pages load nothing from other sites."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from docsite import llms
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
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = {page.name: page.read_text("utf-8") for page in site.glob("*.html")}
    assert len(pages) > len(sections())
    for name, page in pages.items():
        for loaded in _LOADED.finditer(page):
            source = loaded["src"] or loaded["href"]
            assert ":" not in source and not source.startswith("//"), f"{name}: {loaded[0]}"
            assert name == "404.html" or (site / source.partition("?")[0]).exists(), (
                f"{name}: {source}"
            )


def test_llms_txt_lists_the_pages() -> None:
    assert llms.PATH.read_text("utf-8") == llms.text(), "make reference"
