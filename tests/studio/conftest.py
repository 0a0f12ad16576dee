"""A project with a database of its own for each test, and one that tests only look into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import ROOT, remove_home, warm_home
from tests.project import Project, clean_environ
from tests.studio.serving import ServedStudio, Visitor, studio, visitor


def _project(folder: Path, home: Path) -> Project:
    made = Project(folder, clean_environ(home))
    (folder / "pyproject.toml").touch()
    made.ok("up", "--provider", "local")
    return made


@pytest.fixture(scope="session")
def shared_project(warm_parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose database tests leave as it is, or change in schemas of their own."""
    home = warm_home(warm_parts)
    yield _project(tmp_path_factory.mktemp("shop"), home)
    remove_home(home)


@pytest.fixture(scope="session")
def lamp_shop(warm_parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with the database of the documentation's pictures, one version and its preview.

    Tests leave all of it as it is.
    """
    home = warm_home(warm_parts)
    project = _project(tmp_path_factory.mktemp("lamps"), home)
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute((ROOT / "docsite" / "shop.sql").read_bytes())
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    project.ok("versions", "checkpoint", "before the sale")
    project.ok("versions", "preview", "before the sale")
    yield project
    remove_home(home)


@pytest.fixture(scope="session")
def shared_studio(shared_project: Project) -> Iterator[ServedStudio]:
    """Its studio."""
    with studio(shared_project) as served:
        yield served


@pytest.fixture(scope="session")
def shop(shared_studio: ServedStudio) -> Iterator[Visitor]:
    """Somebody in it."""
    with visitor(shared_studio) as found:
        yield found


@pytest.fixture
def database(shared_project: Project) -> Iterator[psycopg.Connection]:
    """A connection to its database."""
    with psycopg.connect(shared_project.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """A project with a new database, for a test that does more with it."""
    folder = tmp_path / "project"
    folder.mkdir()
    return _project(folder, neonup_home)
