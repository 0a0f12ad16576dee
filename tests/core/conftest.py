"""A project folder, alone with a home of neonup's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import Project, clean_environ


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """An empty project in which nothing is there yet."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home))
