"""A company's tables in a schema of their own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from neonup_studio.picture.reading import read
from neonup_studio.picture.structure import TableStructure
from tests.project import Project
from tests.studio.picture.erp import statements

ERP = "erp"


@pytest.fixture(scope="session")
def erp(shared_project: Project) -> TableStructure:
    """What the catalog says of the schema with 62 tables; tests leave it as it is."""
    with psycopg.connect(shared_project.url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {ERP}".encode())
        connection.execute(f"SET search_path TO {ERP}".encode())
        for statement in statements():
            connection.execute(statement.encode())
        return of_schema(read(connection), ERP)


def of_schema(structure: TableStructure, *schemas: str) -> TableStructure:
    """What is in these schemas alone."""
    return TableStructure(
        tuple(table for table in structure.tables if table.name.schema in schemas),
        tuple(key for key in structure.foreign_keys if key.source.schema in schemas),
    )


@pytest.fixture
def schema(database: psycopg.Connection, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty schema of the test, in which its statements are carried out."""
    name = request.node.name
    database.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
    database.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(name)))
    yield name
    database.execute("RESET ROLE")
    database.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
