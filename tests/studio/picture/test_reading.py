"""Tables and foreign keys, as the catalog of a real Postgres has them."""

from __future__ import annotations

import psycopg
from psycopg import sql

from neonup_studio.picture.reading import read
from neonup_studio.picture.structure import TableColumn, TableKey, TableName, TableStructure
from tests.studio.picture.conftest import of_schema


def _read(database: psycopg.Connection, schema: str) -> TableStructure:
    return of_schema(read(database), schema)


def test_columns_are_in_their_order_with_types_and_keys(
    database: psycopg.Connection, schema: str
) -> None:
    database.execute(
        """
        CREATE TABLE "the Table" (
            gone int, b numeric(8, 2) NOT NULL, "A" timestamptz, id uuid, tags text[],
            PRIMARY KEY (id, b)
        );
        ALTER TABLE "the Table" DROP COLUMN gone
        """
    )

    (table,) = _read(database, schema).tables

    assert table.name == TableName(schema, "the Table")
    assert table.columns == (
        TableColumn("b", "numeric(8,2)", nullable=False, primary=True),
        TableColumn("A", "timestamp with time zone"),
        TableColumn("id", "uuid", nullable=False, primary=True),
        TableColumn("tags", "text[]"),
    )


def test_a_table_may_have_no_columns(database: psycopg.Connection, schema: str) -> None:
    database.execute("CREATE TABLE nothing ()")

    assert [table.columns for table in _read(database, schema).tables] == [()]


def test_keys_of_several_columns_keep_the_order_of_the_key(
    database: psycopg.Connection, schema: str
) -> None:
    database.execute(
        """
        CREATE TABLE lines (number int, "order" int, PRIMARY KEY ("order", number));
        CREATE TABLE returned (id int PRIMARY KEY, l int, o int,
            CONSTRAINT of_line FOREIGN KEY (o, l) REFERENCES lines)
        """
    )

    assert _read(database, schema).foreign_keys == (
        TableKey(
            "of_line",
            TableName(schema, "returned"),
            ("o", "l"),
            TableName(schema, "lines"),
            ("order", "number"),
        ),
    )


def test_a_key_that_leads_to_its_own_table(database: psycopg.Connection, schema: str) -> None:
    database.execute("CREATE TABLE parts (id int PRIMARY KEY, whole int REFERENCES parts)")

    (key,) = _read(database, schema).foreign_keys

    assert key.source == key.target == TableName(schema, "parts")


def test_a_key_is_unique_where_no_two_rows_can_lead_to_the_same(
    database: psycopg.Connection, schema: str
) -> None:
    database.execute(
        """
        CREATE TABLE people (id int PRIMARY KEY);
        CREATE TABLE passports (id int PRIMARY KEY, person int UNIQUE REFERENCES people);
        CREATE TABLE profiles (id int PRIMARY KEY REFERENCES people);
        CREATE TABLE seats (number int, person int REFERENCES people, PRIMARY KEY (number, person));
        CREATE TABLE jobs (id int PRIMARY KEY, person int REFERENCES people, ended bool);
        CREATE UNIQUE INDEX ON jobs (person) WHERE NOT ended
        """
    )

    keys = {key.source.name: key.unique for key in _read(database, schema).foreign_keys}

    assert keys == {"passports": True, "profiles": True, "seats": False, "jobs": False}


def test_partitions_are_folded_into_their_table(database: psycopg.Connection, schema: str) -> None:
    """Also what only one of them has, and keys that lead to one of them."""
    database.execute(
        """
        CREATE TABLE kinds (id int PRIMARY KEY);
        CREATE TABLE sensors (id int PRIMARY KEY);
        CREATE TABLE readings (at date, sensor int REFERENCES sensors, PRIMARY KEY (at, sensor))
            PARTITION BY RANGE (at);
        CREATE TABLE readings_2025 PARTITION OF readings
            FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (at);
        CREATE TABLE readings_2025_h1 PARTITION OF readings_2025
            FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
        CREATE TABLE readings_2026 (sensor int NOT NULL, at date NOT NULL);
        ALTER TABLE readings ATTACH PARTITION readings_2026
            FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
        ALTER TABLE readings_2025_h1 ADD CONSTRAINT only_here FOREIGN KEY (sensor) REFERENCES kinds;
        CREATE TABLE alarms (id int PRIMARY KEY, at date, sensor int,
            CONSTRAINT to_all FOREIGN KEY (at, sensor) REFERENCES readings,
            CONSTRAINT to_one FOREIGN KEY (at, sensor) REFERENCES readings_2026 (at, sensor))
        """
    )

    structure = _read(database, schema)

    assert {table.name.name: table.partitioned for table in structure.tables} == {
        "alarms": False,
        "kinds": False,
        "readings": True,
        "sensors": False,
    }
    assert [(key.name, key.source.name, key.target.name) for key in structure.foreign_keys] == [
        ("to_all", "alarms", "readings"),
        ("to_one", "alarms", "readings"),
        ("only_here", "readings", "kinds"),
        ("readings_sensor_fkey", "readings", "sensors"),
    ]
    readings = next(table for table in structure.tables if table.partitioned)
    assert [column.name for column in readings.columns if column.primary] == ["at", "sensor"]


def test_a_schema_that_the_role_cannot_use_is_not_seen(
    database: psycopg.Connection, schema: str
) -> None:
    database.execute("CREATE TABLE secrets (id int PRIMARY KEY)")
    database.execute("CREATE SCHEMA open_to_all")
    database.execute("CREATE TABLE open_to_all.notes (id int, secret int REFERENCES secrets)")
    database.execute("GRANT USAGE ON SCHEMA open_to_all TO PUBLIC")
    database.execute("CREATE ROLE passer_by")
    try:
        database.execute("GRANT passer_by TO current_user")
        database.execute("SET ROLE passer_by")

        structure = read(database)

        assert "open_to_all" in structure.schemas
        assert schema not in structure.schemas
        assert structure.foreign_keys == ()
    finally:
        database.execute("RESET ROLE")
        database.execute("DROP SCHEMA open_to_all CASCADE")
        database.execute("DROP ROLE passer_by")


def test_views_temporary_tables_and_postgres_own_are_no_tables(
    database: psycopg.Connection, schema: str
) -> None:
    database.execute(
        """
        CREATE TABLE things (id int PRIMARY KEY);
        CREATE VIEW some_things AS SELECT * FROM things;
        CREATE MATERIALIZED VIEW kept AS SELECT * FROM things;
        CREATE TEMPORARY TABLE passing (id int)
        """
    )

    structure = read(database)

    assert [str(table.name) for table in _read(database, schema).tables] == [f"{schema}.things"]
    assert not [name for name in structure.schemas if name.startswith("pg_")]
    assert "information_schema" not in structure.schemas


def test_reading_changes_nothing_and_works_where_only_that_is_allowed(
    database: psycopg.Connection, schema: str
) -> None:
    with database.transaction():
        database.execute("SET TRANSACTION READ ONLY")
        assert schema not in read(database).schemas


def test_another_search_path_makes_no_difference(database: psycopg.Connection, schema: str) -> None:
    """Not even one in which somebody has functions named as Postgres's."""
    database.execute("CREATE TABLE things (id int PRIMARY KEY)")
    database.execute(
        "CREATE FUNCTION unnest(int2[]) RETURNS SETOF int2 LANGUAGE sql AS 'SELECT 7::int2'"
    )
    before = _read(database, schema)
    database.execute(sql.SQL("SET search_path TO {}, pg_catalog").format(sql.Identifier(schema)))

    assert _read(database, schema) == before
