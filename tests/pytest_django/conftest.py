"""A Django project, alone with a home of neonup's own, and the developer's database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_local.test_server import runs
from tests.postgres import Server, running
from tests.project import clean_environ
from tests.pytest_django.site import Developers, Site


@pytest.fixture(scope="session")
def developers_server() -> Iterator[Server]:
    """A server that tests must not touch."""
    with running(tls=False) as server:
        with server.admin() as connection:
            connection.execute("CREATE DATABASE probe")
        yield server


@pytest.fixture
def developers(developers_server: Server) -> Iterator[Developers]:
    """A database that tests must not touch."""
    name = f"shop_{secrets.token_hex(4)}"
    url = developers_server.create("developer", "secret of the developer", name)
    with developers_server.admin() as connection:
        connection.execute("ALTER ROLE developer CREATEDB")
    yield Developers(developers_server, url)
    with developers_server.admin() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def site(tmp_path: Path, neonup_home: Path, developers: Developers) -> Iterator[Site]:
    """A project that has opted in; nothing has been run in it yet."""
    folder = tmp_path / "site"
    folder.mkdir()
    environ = clean_environ(neonup_home, DATABASE_URL=developers.url, PYTHONDONTWRITEBYTECODE="1")
    yield Site(folder, environ).start()
    for control in runs.folders(neonup_home):
        runs.remove(control)
