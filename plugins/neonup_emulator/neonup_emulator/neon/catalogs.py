"""Roles and databases as Postgres has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from neonup_emulator.neon.errors import Conflict, NotFound, Refused, Unprocessable
from neonup_emulator.neon.model import Role
from neonup_local.engine import template

Connection = psycopg.Connection[Any]

OWNER_CAN = "LOGIN CREATEDB CREATEROLE BYPASSRLS REPLICATION IN ROLE neon_superuser"
_HIDDEN = (template.ADMIN, "neon_superuser")


@contextmanager
def refusals() -> Iterator[None]:
    """Turn errors of Postgres into refusals of the API."""
    try:
        yield
    except (errors.DuplicateDatabase, errors.DuplicateObject) as error:
        raise Conflict(_message(error)) from None
    except (errors.UndefinedObject, errors.InvalidCatalogName) as error:
        raise NotFound(_message(error)) from None
    except (errors.ReservedName, errors.DependentObjectsStillExist, errors.ObjectInUse) as error:
        raise Unprocessable(_message(error)) from None
    except psycopg.Error as error:
        raise Refused(_message(error)) from None


def _message(error: psycopg.Error) -> str:
    detail = error.diag.message_detail
    return f"{error.diag.message_primary or error}" + (f" ({detail})" if detail else "")


def create_role(connection: Connection, role: Role) -> None:
    """Create a role as Neon's API does: a member of ``neon_superuser``, unless it has no login."""
    can = sql.SQL(OWNER_CAN if role.verifier else "NOLOGIN")
    password = sql.SQL(" PASSWORD {}").format(role.verifier) if role.verifier else sql.SQL("")
    connection.execute(
        sql.SQL("CREATE ROLE {} {}{}").format(sql.Identifier(role.name), can, password)
    )


def set_password(connection: Connection, role: Role) -> None:
    """Set the stored password of a role in Postgres."""
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role.name), role.verifier)
    )


def drop_role(connection: Connection, name: str) -> None:
    """Drop a role; Postgres refuses where something belongs to it."""
    connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def disconnect(connection: Connection, database: str) -> None:
    """End the connections to a database, which Postgres renames only where there are none."""
    connection.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
        [database],
    )


def has_database(connection: Connection, name: str) -> bool:
    """Whether there is a database of that name."""
    row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return row.fetchone() is not None


def rename(connection: Connection, role: str, database: str) -> None:
    """Give the template's role and database other names, unless that was done before.

    It is done in the transaction in which the role gets its first password. A role that has one is
    of the project's own making, whatever its name is.
    """
    untouched = connection.execute(
        "SELECT FROM pg_authid WHERE rolname = %s AND rolpassword IS NULL", [template.OWNER]
    )
    renamed = role != template.OWNER and role in _role_names(connection)
    if untouched.fetchone() is None or renamed:
        return
    for kind, old, new in (
        ("ROLE", template.OWNER, role),
        ("DATABASE", template.DATABASE, database),
    ):
        if old != new:
            connection.execute(
                sql.SQL("ALTER {} {} RENAME TO {}").format(
                    sql.SQL(kind), sql.Identifier(old), sql.Identifier(new)
                )
            )


def apply_passwords(connection: Connection, roles: list[Role]) -> None:
    """Set the passwords of the store in a copy, where its roles are still there."""
    existing = _role_names(connection)
    for role in roles:
        if role.verifier and role.name in existing:
            set_password(connection, role)


def _role_names(connection: Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}


def role_names(connection: Connection) -> list[str]:
    """The roles that Postgres has, without its own and the superuser, oldest first."""
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> ALL(%s) ORDER BY oid",
        [list(_HIDDEN)],
    ).fetchall()
    return [name for (name,) in rows]


@dataclass(frozen=True)
class CatalogDatabase:
    """A database that Postgres has."""

    number: int
    name: str
    owner: str


def databases(connection: Connection) -> list[CatalogDatabase]:
    """The databases that Postgres has, without its own, oldest first."""
    rows = connection.execute(
        "SELECT oid, datname, pg_get_userbyid(datdba) FROM pg_database "
        "WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY oid"
    ).fetchall()
    return [CatalogDatabase(int(number), name, owner) for number, name, owner in rows]
