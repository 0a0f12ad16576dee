"""The roles of a branch, and their passwords."""

from __future__ import annotations

from msgspec.structs import replace

from neonup_emulator.neon import catalogs, ids
from neonup_emulator.neon.context import Neon
from neonup_emulator.neon.errors import NotFound, Refused
from neonup_emulator.neon.model import Branch, Cluster, Operation, Project, Role, Row
from neonup_emulator.neon.requests import NewRole
from neonup_emulator.neon.state.journal import Change, Step
from neonup_local.engine import template

Changed = tuple[Role, list[Operation]]


def kept(project: Project, role: Role) -> Role:
    """A role as the store has it: without its password, where the project keeps none."""
    return role if project.store_passwords else replace(role, password=None)


class NoPassword(Refused):
    """The role's password is not kept."""

    status = 412


def all_of(neon: Neon, branch: Branch) -> list[Role]:
    """The roles of a branch, also those that were created by SQL."""
    neon.computes.refresh(branch)
    return neon.store.all(Role, branch_id=branch.id)


def find(neon: Neon, branch: Branch, name: str) -> Role:
    """A role of a branch.

    Raises:
        NotFound: there is none.
    """
    for role in all_of(neon, branch):
        if role.name == name:
            return role
    raise NotFound("role not found")


def create(neon: Neon, project: Project, branch: Branch, wanted: NewRole) -> Changed:
    """Create a role, with a password unless it may not log in.

    Raises:
        Conflict: there is one of that name.
        Unprocessable: the name is reserved.
    """
    now = neon.clock.now()
    password = None if wanted.no_login else ids.password()
    role = Role(
        id=catalogs.role_id(branch.id, wanted.name),
        project_id=project.id,
        branch_id=branch.id,
        name=wanted.name,
        password=password,
        verifier=template.scram_verifier(password) if password else None,
        created_at=now,
        updated_at=now,
    )

    def work() -> Change:
        with catalogs.refusals(), neon.computes.admin(branch) as connection:
            catalogs.create_role(connection, role)
        return Change(put=[kept(project, role)])

    return role, neon.journal.run(project.id, [Step("apply_config", branch.id)], work)


def delete(neon: Neon, project: Project, branch: Branch, name: str) -> Changed:
    """Drop a role.

    Raises:
        NotFound: there is none.
        Unprocessable: something belongs to it.
    """
    role = find(neon, branch, name)

    def work() -> Change:
        with catalogs.refusals(), neon.computes.admin(branch) as connection:
            catalogs.drop_role(connection, name)
        return Change(delete=[role])

    return role, neon.journal.run(project.id, [Step("apply_config", branch.id)], work)


def reset_password(neon: Neon, project: Project, branch: Branch, name: str) -> Changed:
    """Give a role a new password; the old one is refused from now on."""
    password = ids.password()
    role = replace(
        find(neon, branch, name),
        password=password,
        verifier=template.scram_verifier(password),
        updated_at=neon.clock.now(),
    )

    def work() -> Change:
        with catalogs.refusals(), neon.computes.admin(branch) as connection:
            catalogs.set_password(connection, role)
        return Change(put=[kept(project, role)])

    return role, neon.journal.run(project.id, [Step("apply_config", branch.id)], work)


def renewed(neon: Neon, branch: Branch) -> list[Row]:
    """Stop a branch's servers; the rows with which all its passwords are new at the next start.

    Roles that were created by SQL get one as well: theirs may be known to whoever created them.
    The caller holds the branch's cluster until they are written.
    """
    neon.computes.refresh(branch)
    neon.computes.drop_replicas(branch)
    neon.computes.suspend(branch)
    now = neon.clock.now()
    rows: list[Row] = []
    for role in neon.store.all(Role, branch_id=branch.id):
        password = ids.password()
        verifier = template.scram_verifier(password)
        rows.append(replace(role, password=password, verifier=verifier, updated_at=now))
    cluster = neon.store.get(Cluster, branch.cluster_id)
    if cluster is not None and cluster.state == "stopped":
        rows.append(replace(cluster, state="copied"))
    return rows


def password_of(neon: Neon, project: Project, branch: Branch, name: str) -> str:
    """A role's password.

    Raises:
        NotFound: there is no such role, or it has no password.
        NoPassword: the project does not keep passwords.
    """
    role = find(neon, branch, name)
    if not project.store_passwords:
        raise NoPassword("the project does not store passwords")
    if role.password is None:
        raise NotFound("the password of this role is not stored")
    return role.password
