"""What every project begins with: a branch and its data, a role, and a database of that role's."""

from __future__ import annotations

from neonup_emulator.neon import ids
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Unprocessable
from neonup_emulator.neon.model import Branch, BranchDatabase, Cluster, Project, Role
from neonup_emulator.neon.requests import FirstBranch
from neonup_local.engine import template
from neonup_local.engine.binaries import Engine

_RESERVED_ROLES = frozenset({template.ADMIN, "neon_superuser", "postgres", "public", "none"})
_RESERVED_DATABASES = frozenset({"postgres", "template0", "template1"})


def rows(
    neon: LocalNeon, project: Project, engine: Engine, wanted: FirstBranch, password: str
) -> tuple[Cluster, Branch, Role, BranchDatabase]:
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
        bases=[neon.clusters.template_base(engine, now)],
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
    role = Role(
        id=Role.id_of(branch.id, role_name),
        project_id=project.id,
        branch_id=branch.id,
        name=role_name,
        password=password,
        verifier=template.scram_verifier(password),
        created_at=now,
        updated_at=now,
    )
    database = BranchDatabase(
        id=BranchDatabase.id_of(branch.id, database_name),
        project_id=project.id,
        branch_id=branch.id,
        name=database_name,
        owner_name=role.name,
        number=1,
        created_at=now,
        updated_at=now,
    )
    return cluster, branch, role, database


def _free_name(name: str, reserved: frozenset[str]) -> str:
    if name.startswith("pg_") or name in reserved:
        raise Unprocessable(f'the name "{name}" is reserved')
    return name
