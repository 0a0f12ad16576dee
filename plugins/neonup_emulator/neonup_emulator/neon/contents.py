"""The store's copy of what is in a branch's Postgres: roles and databases, also those of SQL."""

from __future__ import annotations

from datetime import datetime

from neonup_emulator.neon import catalogs
from neonup_emulator.neon.model import Branch, BranchDatabase, Role
from neonup_emulator.neon.state.store import Store, setting


def read(store: Store, branch: Branch, connection: catalogs.Connection, now: datetime) -> None:
    """Make the store's rows those that the running server has; whoever calls it holds its cluster.

    What the store knows beside the names, e.g. passwords, stays.
    """
    names = catalogs.role_names(connection)
    databases = {database.name: database for database in catalogs.databases(connection)}
    with store.transaction():
        if store.get(Branch, branch.id) is None:
            return  # it has just been deleted
        roles = {row.name: row for row in store.all(Role, branch_id=branch.id)}
        store.delete(*(row for name, row in roles.items() if name not in names))
        store.insert(*(_role(branch, name, now) for name in names if name not in roles))
        known = {row.name: row for row in store.all(BranchDatabase, branch_id=branch.id)}
        since = {row.number: row.created_at for row in known.values()}
        store.delete(*(row for name, row in known.items() if name not in databases))
        for name, in_catalog in databases.items():
            if name not in known:
                store.insert(_database(branch, in_catalog, since.get(in_catalog.number, now), now))
            elif (in_catalog.number, in_catalog.owner) != (
                known[name].number,
                known[name].owner_name,
            ):
                created_at = since.get(in_catalog.number, now)
                changed = {
                    "number": in_catalog.number,
                    "owner_name": in_catalog.owner,
                    "created_at": created_at,
                }
                store.update(BranchDatabase, known[name].id, setting(**changed, updated_at=now))


def _role(branch: Branch, name: str, now: datetime) -> Role:
    """A role that was created by SQL."""
    return Role(
        id=Role.id_of(branch.id, name),
        project_id=branch.project_id,
        branch_id=branch.id,
        name=name,
        created_at=now,
        updated_at=now,
    )


def _database(
    branch: Branch, in_catalog: catalogs.CatalogDatabase, created_at: datetime, now: datetime
) -> BranchDatabase:
    return BranchDatabase(
        id=BranchDatabase.id_of(branch.id, in_catalog.name),
        project_id=branch.project_id,
        branch_id=branch.id,
        name=in_catalog.name,
        owner_name=in_catalog.owner,
        number=in_catalog.number,
        created_at=created_at,
        updated_at=now,
    )
