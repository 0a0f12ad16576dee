"""The store's copy of what is in a branch's Postgres: roles and databases, also those of SQL."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from neonup_emulator.neon import catalogs
from neonup_emulator.neon.model import Branch, Database, Role
from neonup_emulator.neon.state.store import Store


def read(store: Store, branch: Branch, connection: catalogs.Connection, now: datetime) -> None:
    """Make the store's rows those that the running server has."""
    roles = store.all(Role, branch_id=branch.id)
    databases = store.all(Database, branch_id=branch.id)
    found_roles = catalogs.read_roles(connection, branch, roles, now)
    found_databases = catalogs.read_databases(connection, branch, databases, now)
    with store.transaction():
        store.delete(*roles, *databases)
        store.put(*found_roles, *found_databases)


def inherited(
    store: Store, parent: Branch, child: Branch, now: datetime
) -> tuple[list[Role], list[Database]]:
    """The rows of a child that begins with its parent's roles, passwords and databases."""
    roles = [
        replace(role, id=catalogs.role_id(child.id, role.name), branch_id=child.id)
        for role in store.all(Role, branch_id=parent.id)
    ]
    databases = [
        replace(
            row,
            id=catalogs.database_id(child.id, row.name),
            branch_id=child.id,
            created_at=now,
            updated_at=now,
        )
        for row in store.all(Database, branch_id=parent.id)
    ]
    return roles, databases
