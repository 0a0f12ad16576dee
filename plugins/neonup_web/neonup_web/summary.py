"""A database in short: its version, its size, its tables and how many rows they have."""

from __future__ import annotations

from dataclasses import dataclass

from neonup_web.queries import Query

MOST_TABLES = 200
"""More are not listed."""

SMALL = 8 * 1024 * 1024
"""Bytes of a table whose rows are counted; of a bigger one they are estimated."""

_DATABASE = """
SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database()))
"""

# Partitions count as part of their table. The server itself writes the statement that counts a
# table's rows, so that no name is quoted by hand.
_TABLES = f"""
SELECT name, rows, pg_size_pretty(bytes), CASE WHEN bytes <= {SMALL} THEN statement END
FROM (
  SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname
         ELSE n.nspname || '.' || c.relname END AS name,
    c.reltuples::bigint AS rows,
    CASE WHEN c.relkind = 'p' THEN
      (SELECT coalesce(sum(pg_table_size(relid)), 0)::bigint FROM pg_partition_tree(c.oid))
      ELSE pg_table_size(c.oid) END AS bytes,
    format('(SELECT count(*) FROM %I.%I)', n.nspname, c.relname) AS statement
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
    AND n.nspname <> 'information_schema' AND has_table_privilege(c.oid, 'SELECT')
    AND has_schema_privilege(n.oid, 'USAGE')
  ORDER BY name LIMIT {MOST_TABLES + 1}
) AS listed
"""  # noqa: S608 - numbers of this module


@dataclass(frozen=True)
class TableSummary:
    """A table, partitions included.

    Args:
        name: with its schema where that is not on the search path.
        rows: how many; None if nobody has estimated yet.
        exact: whether they were counted.
        size: as Postgres prints it.
    """

    name: str
    rows: int | None
    exact: bool
    size: str


@dataclass(frozen=True)
class DatabaseSummary:
    """A database.

    Args:
        version: of its server.
        size: as Postgres prints it.
        tables: at most `MOST_TABLES`, by their names.
        more: whether there are more tables than these.
    """

    version: str
    size: str
    tables: tuple[TableSummary, ...]
    more: bool


async def summarize(query: Query) -> DatabaseSummary:
    """What the database that a `neonup_web.queries.read_only` connection leads to has."""
    [(version, size)] = await query(_DATABASE)
    rows = await query(_TABLES)
    listed = rows[:MOST_TABLES]
    statements = [row[3] for row in listed if row[3] is not None]
    counts = iter((await query(f"SELECT {', '.join(statements)}"))[0] if statements else ())
    tables = (
        TableSummary(name, next(counts), True, bytes_)
        if statement is not None
        else TableSummary(name, estimate if estimate >= 0 else None, False, bytes_)
        for name, estimate, bytes_, statement in listed
    )
    return DatabaseSummary(version, size, tuple(tables), len(rows) > MOST_TABLES)
