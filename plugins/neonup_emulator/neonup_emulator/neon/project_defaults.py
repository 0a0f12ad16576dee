"""What every project begins with: a branch and its data, a role, and a database of that role's."""

from __future__ import annotations

from dataclasses import dataclass

from neonup_emulator.neon import ids
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Branch, BranchDatabase, Project, Role
from neonup_emulator.neon.requests.projects import FirstBranch
from neonup_local.engine import template
from neonup_local.engine.binaries import Engine

_RESERVED_ROLES = frozenset({template.ADMIN, "neon_superuser", "postgres", "public", "none"})
_RESERVED_DATABASES = frozenset({"postgres", "template0", "template1"})


@dataclass(frozen=True)
class FirstRows:
    """The rows of what a project begins with."""

    cluster: Cluster
    branch: Branch
    role: Role
    database: BranchDatabase


def rows(
    neon: LocalNeon, project: Project, engine: Engine, wanted: FirstBranch, password: str
) -> FirstRows:
    """The rows of a project that is not in the store yet.

    Args:
        neon: where it will be.
        project: whose.
        engine: the Postgres of its data.
        wanted: the names that were asked for.
        password: the role's.

    Raises:
        Unprocessable: a name is reserved.
    """
    now = project.created_at
    role_name = _free_name(wanted.role_name or template.OWNER, _RESERVED_ROLES)
    database_name = _free_name(wanted.database_name or template.DATABASE, _RESERVED_DATABASES)
    names = (role_name, database_name)
    cluster = Cluster(
        id=ids.cluster(),
        project_id=project.id,
        engine=engine.id,
        bases=[neon.clusters.templates.base(engine, now)],
        own_names=None if names == (template.OWNER, template.DATABASE) else names,
    )
    branch = Branch(
        id=ids.branch(),
        project_id=project.id,
        name=wanted.name,
        cluster_id=cluster.id,
        default=True,
        created_at=now,
        updated_at=now,
        annotation=wanted.annotations,
    )
    role = _role(branch, role_name, password)
    return FirstRows(cluster, branch, role, _database(branch, database_name, owner=role_name))


def _role(branch: Branch, name: str, password: str) -> Role:
    return Role(
        id=Role.id_of(branch.id, name),
        project_id=branch.project_id,
        branch_id=branch.id,
        name=name,
        password=password,
        verifier=template.scram_verifier(password),
        created_at=branch.created_at,
        updated_at=branch.created_at,
    )


def _database(branch: Branch, name: str, owner: str) -> BranchDatabase:
    return BranchDatabase(
        id=BranchDatabase.id_of(branch.id, name),
        project_id=branch.project_id,
        branch_id=branch.id,
        name=name,
        owner_name=owner,
        number=1,
        created_at=branch.created_at,
        updated_at=branch.created_at,
    )


def _free_name(name: str, reserved: frozenset[str]) -> str:
    if name.startswith("pg_") or name in reserved:
        raise Unprocessable(f'the name "{name}" is reserved')
    return name
