"""Child projects, whose servers are gone after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_local.test_server import runs
from tests.project import clean_environ
from tests.pytest.child import Child


@pytest.fixture
def child(tmp_path: Path, neonup_home: Path) -> Iterator[Child]:
    """An empty project with an ini file and a home of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = Child(folder, clean_environ(neonup_home))
    project.ini()
    yield project
    for control in runs.folders(neonup_home):
        runs.remove(control)
    assert project.data == []
