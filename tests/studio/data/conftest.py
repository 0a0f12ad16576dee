"""A server with what extensions there are, and databases in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from neonup_studio.data.description import describe
from neonup_studio.data.relation import DescribedRelation, RelationName
from tests.postgres import ADMIN_PASSWORD, Server, running

Connection = psycopg.Connection[tuple[object, ...]]
Describe = Callable[[str], DescribedRelation]


@pytest.fixture(scope="session")
def data_server() -> Iterator[Server]:
    with running(tls=False) as server:
        yield server


@pytest.fixture
def db(data_server: Server) -> Iterator[Connection]:
    """A connection to a database of this test alone."""
    with data_server.admin() as admin:
        admin.execute("CREATE DATABASE looked_into")
    url = data_server.url("admin", ADMIN_PASSWORD, "looked_into")
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
    finally:
        with data_server.admin() as admin:
            admin.execute("DROP DATABASE looked_into WITH (FORCE)")


@pytest.fixture
def describe_(db: Connection) -> Describe:
    """Describes a relation by its name, in the schema public where it names none."""

    def described(name: str) -> DescribedRelation:
        schema, _, own = name.rpartition(".")
        return describe(db, RelationName(schema or "public", own))

    return described
