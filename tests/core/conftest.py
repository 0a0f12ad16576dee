"""A project folder, alone with a home of neonup's own; servers for the tests of clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server, running
from tests.project import Project, clean_environ


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """An empty project in which nothing is there yet."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder, clean_environ(neonup_home))


@pytest.fixture(scope="session")
def plain_server() -> Iterator[Server]:
    """A Postgres that knows no TLS."""
    with running(tls=False) as server:
        yield server


@pytest.fixture(scope="session")
def tls_server() -> Iterator[Server]:
    """A Postgres that over TCP takes nothing but TLS."""
    with running(tls=True) as server:
        yield server
