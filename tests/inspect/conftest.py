"""A server of a project, with one database in which much is wrong, and one in which nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from neonup import urls
from tests.conftest import remove_home, warm_home
from tests.inspect.seeds import CLEAN, INVALID, SEEDS
from tests.project import Project, clean_environ


@pytest.fixture(scope="session")
def shop(warm_parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with a database, on whose server transactions can be prepared."""
    home = warm_home(warm_parts)
    shop = Project(tmp_path_factory.mktemp("shop"), clean_environ(home))
    (shop.folder / "pyproject.toml").touch()
    shop.ok()
    admin = replace(urls.parse(shop.url), user="cloud_admin", password=_password(home))
    with psycopg.connect(str(admin), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
    shop.ok("stop")
    shop.ok()
    yield shop
    remove_home(home)


def _password(home: Path) -> str:
    return (home / "cloud_admin").read_text()


def _database(shop: Project, name: str) -> str:
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return str(replace(urls.parse(shop.url), dbname=name))


def _clean(shop: Project, name: str) -> str:
    url = _database(shop, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(CLEAN)
    return url


def _seeded(shop: Project, name: str) -> str:
    url = _database(shop, name)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in SEEDS:
            connection.execute(statement.encode())
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(INVALID)
    return url


@pytest.fixture(scope="session")
def clean(shop: Project) -> str:
    """A database that nobody needs to look at; tests leave it as it is."""
    return _clean(shop, "clean")


@pytest.fixture
def lively(shop: Project) -> Iterator[str]:
    """A database of one test, for its own sessions."""
    yield _clean(shop, "lively")
    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE lively WITH (FORCE)")


@pytest.fixture(scope="session")
def seeded(shop: Project) -> str:
    """A database with one of each kind that is to be found; tests leave it as it is."""
    return _seeded(shop, "seeded")


@pytest.fixture(scope="session")
def to_mend(shop: Project) -> str:
    """Another one, for the test that mends it."""
    return _seeded(shop, 'the "other" one')
