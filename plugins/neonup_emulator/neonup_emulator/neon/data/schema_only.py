"""Branches that begin with their parent's roles, databases and schemas, and none of its rows."""

from __future__ import annotations

from psycopg import sql

from neonup_emulator.neon import catalogs, schemas
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.model import Branch, BranchDatabase
from neonup_local.engine import template

_OWN = (template.ADMIN, "neon_superuser", template.OWNER)
"""The roles that a new cluster has."""


def build(neon: LocalNeon, parent: Branch, branch: Branch, cluster: Cluster) -> None:
    """Give a new branch's cluster its parent's roles, databases and schemas.

    Args:
        parent: its server is started.
        branch: as it will be; it has no roles or databases in the store yet.
        cluster: the branch's, without data.

    Raises:
        EngineError: the machine could not do it.
        Failed: `pg_dump` or `psql` did not.
    """
    neon.clusters.create(cluster.id, neon.clusters.engines.for_id(cluster.engine))
    try:
        neon.computes.start(branch, known=True)
        with neon.computes.admin(parent) as source:
            databases = neon.store.all(BranchDatabase, branch_id=parent.id)
            has_owner = source.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [template.OWNER]
            ).fetchone()
            schemas.load(neon, branch, "postgres", _roles(neon, parent))
            with neon.computes.admin(branch, known=True) as target:
                target.execute(f"DROP DATABASE {template.DATABASE}".encode())
                for database in databases:
                    _create(target, database)
            for database in databases:
                text = schemas.dump(neon, parent, database.name, "--schema-only")
                schemas.load(neon, branch, database.name, text)
            if has_owner is None:
                with neon.computes.admin(branch, known=True) as target:
                    target.execute(f"DROP ROLE {template.OWNER}".encode())
    finally:
        neon.computes.discard(cluster.id)


def _create(connection: catalogs.Connection, database: BranchDatabase) -> None:
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {}").format(
            sql.Identifier(database.name), sql.Identifier(database.owner_name)
        )
    )


def _roles(neon: LocalNeon, parent: Branch) -> str:
    """The statements that create the parent's roles, without those that are there already."""
    text = schemas.dump(
        neon, parent, "postgres", "--roles-only", "--no-role-passwords", program="pg_dumpall"
    )
    created = tuple(f"CREATE ROLE {name};" for name in _OWN)
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(created))
