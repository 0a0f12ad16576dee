"""Projects without a framework, and Flask's as docs/adapters.md has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.snippets import snippets
from tests.project import Project, clean_environ
from tests.release.building import ROOT


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """A project in which nothing was started yet."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home))


@pytest.fixture
def flask_project(project: Project) -> Project:
    """The adapter for Flask of the documentation, and its application."""
    for name in ("flask_neon.py", "shop.py"):
        sources = (snippet.source for snippet in snippets(ROOT / "docs" / "adapters.md"))
        (source,) = (source for source in sources if source.startswith(f"# {name}\n"))
        (project.folder / name).write_text(source)
    return project
