"""A project with a local database, and a local Neon to move it to and from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import remove_home, warm_home
from tests.neon.serving import NeonServer, serving
from tests.project import Project, clean_environ


@pytest.fixture(scope="module")
def neon(warm_parts: Path) -> Iterator[NeonServer]:
    """A local Neon, whose servers are Postgres 17 with TLS where that engine is installed."""
    home = warm_home(warm_parts)
    with serving(home) as server:
        yield server
    remove_home(home)


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """An empty project."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home, NEONUP_ENV="development"))


@pytest.fixture
def cloud(neon: NeonServer) -> str:
    """The URL of a new and empty database of the local Neon's."""
    from tests.neon.api import Api

    return Api(neon.base, neon.key).create_project(name="shop").url
