"""The databases of a branch."""

from __future__ import annotations

from msgspec.structs import replace
from psycopg import sql

from neonup_emulator.neon import catalogs
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.model import Branch, BranchDatabase, Operation, Project
from neonup_emulator.neon.requests.contents import DatabaseChanges, NewDatabase
from neonup_emulator.neon.requests.fields import given
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange

Changed = tuple[BranchDatabase, list[Operation]]


def all_of(neon: LocalNeon, branch: Branch) -> list[BranchDatabase]:
    """The databases of a branch, also those that were created by SQL, oldest first."""
    neon.computes.refresh(branch)
    return sorted(
        neon.store.all(BranchDatabase, branch_id=branch.id), key=lambda database: database.number
    )


def find(neon: LocalNeon, branch: Branch, name: str) -> BranchDatabase:
    """A database of a branch.

    Raises:
        NotFound: the branch has no database of that name.
    """
    for database in all_of(neon, branch):
        if database.name == name:
            return database
    raise NotFound("database not found")


def create(neon: LocalNeon, project: Project, branch: Branch, wanted: NewDatabase) -> Changed:
    """Create a database.

    Raises:
        Conflict: there is one of that name.
        NotFound: its owner is no role.
    """

    def work() -> Completion:
        with catalogs.refusals(), neon.computes.admin(branch) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(wanted.name), sql.Identifier(wanted.owner_name)
                )
            )
        return Completion()

    operations = neon.journal.run(
        project, [PlannedOperation("apply_config", branch.id)], SimpleChange(work)
    )
    return find(neon, branch, wanted.name), operations


def update(
    neon: LocalNeon, project: Project, branch: Branch, name: str, changes: DatabaseChanges
) -> Changed:
    """Rename a database, or give it to another role.

    Raises:
        Conflict: there is one of that name.
        NotFound: there is no such database, or its owner is no role.
    """
    values = given(changes)
    find(neon, branch, name)

    def work() -> Completion:
        database = find(neon, branch, name)
        changed = replace(database, **values)
        old, new = sql.Identifier(name), sql.Identifier(changed.name)
        owner = sql.Identifier(changed.owner_name)
        with catalogs.refusals(), neon.computes.admin(branch) as connection:
            if changed.owner_name != database.owner_name:
                connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(old, owner))
            if changed.name != name:
                catalogs.disconnect(connection, name)
                connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(old, new))
        return Completion()

    operations = neon.journal.run(
        project, [PlannedOperation("apply_config", branch.id)], SimpleChange(work)
    )
    return find(neon, branch, values.get("name", name)), operations


def delete(neon: LocalNeon, project: Project, branch: Branch, name: str) -> Changed:
    """Drop a database, cutting its connections."""
    database = find(neon, branch, name)

    def work() -> Completion:
        with catalogs.refusals(), neon.computes.admin(branch) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
        return Completion(lambda: neon.store.delete(database))

    operations = neon.journal.run(
        project, [PlannedOperation("apply_config", branch.id)], SimpleChange(work)
    )
    return database, operations
