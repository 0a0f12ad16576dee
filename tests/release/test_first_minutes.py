"""The pages that a new user reads first, to the letter, where nothing is installed but Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.snippets import Terminal, snippets
from tests.environments import asks_an_index
from tests.release.building import ROOT
from tests.release.conftest import Dist
from tests.release.environments import empty_environment

pytestmark = [pytest.mark.thorough, asks_an_index]

PAGES = (
    *("README.md", "docs/quickstart.md", "docs/tutorial.md"),
    *("docs/django.md", "docs/fastapi.md", "docs/testing.md"),
)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_needs_only_what_it_installs(
    page: str, dist: Dist, tmp_path: Path, cold_home: Path
) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    shell = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    shell |= {"NEONUP_HOME": str(cold_home), "NO_COLOR": "1"}
    environment = empty_environment(tmp_path / "venv", dist, shell)
    with Terminal(project, environment.environ) as terminal:
        for snippet in snippets(ROOT / page):
            terminal.run(snippet)
