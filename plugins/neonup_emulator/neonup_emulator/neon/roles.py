"""The roles of a branch, and their passwords."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from msgspec.structs import replace

from neonup_emulator.neon import catalogs, ids
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data.model import Cluster, ClusterOrigin
from neonup_emulator.neon.errors import NotFound, Refused
from neonup_emulator.neon.model import Branch, Operation, Project, Role
from neonup_emulator.neon.requests.contents import NewRole
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.store import setting
from neonup_local.engine import template

Changed = tuple[Role, list[Operation]]


def as_stored(project: Project, role: Role) -> Role:
    """A role as the store has it: without its password, where the project keeps none."""
    return role if project.store_passwords else replace(role, password=None)


class NoPassword(Refused):
    """The role's password is not kept."""

    status = 412


def all_of(neon: LocalNeon, branch: Branch) -> list[Role]:
    """The roles of a branch, also those that were created by SQL."""
    neon.computes.refresh(branch)
    return neon.store.all(Role, branch_id=branch.id)


def find(neon: LocalNeon, branch: Branch, name: str) -> Role:
    """A role of a branch.

    Raises:
        NotFound: the branch has no role of that name.
    """
    for role in all_of(neon, branch):
        if role.name == name:
            return role
    raise NotFound("role not found")


def create(neon: LocalNeon, project: Project, branch: Branch, wanted: NewRole) -> Changed:
    """Create a role, with a password unless it may not log in.

    Raises:
        Conflict: there is one of that name.
        Unprocessable: the name is reserved.
    """
    now = neon.clock.now()
    password = None if wanted.no_login else ids.password()
    role = Role(
        id=Role.id_of(branch.id, wanted.name),
        project_id=project.id,
        branch_id=branch.id,
        name=wanted.name,
        password=password,
        verifier=template.scram_verifier(password) if password else None,
        created_at=now,
        updated_at=now,
    )

    def record() -> None:
        neon.store.insert(as_stored(neon.journal.check(project), role))

    work = partial(
        _with_password,
        neon,
        branch,
        role,
        catalogs.create_role,
        record=record,
        take_back=lambda: neon.store.delete(role),
    )
    return role, neon.journal.run(
        project, [PlannedOperation("apply_config", branch.id)], SimpleChange(work)
    )


def delete(neon: LocalNeon, project: Project, branch: Branch, name: str) -> Changed:
    """Drop a role.

    Raises:
        NotFound: the branch has no role of that name.
        Unprocessable: something belongs to it.
    """
    role = find(neon, branch, name)

    def work() -> Completion:
        with catalogs.refusals(), neon.computes.admin(branch) as connection:
            catalogs.drop_role(connection, name)
        return Completion(lambda: neon.store.delete(role))

    return role, neon.journal.run(
        project, [PlannedOperation("apply_config", branch.id)], SimpleChange(work)
    )


def reset_password(neon: LocalNeon, project: Project, branch: Branch, name: str) -> Changed:
    """Give a role a new password; the old one is refused from now on.

    Raises:
        NotFound: there is no such role.
    """
    before = find(neon, branch, name)
    password = ids.password()
    new: dict[str, Any] = {
        "password": password,
        "verifier": template.scram_verifier(password),
        "updated_at": neon.clock.now(),
    }
    role = replace(before, **new)

    def record() -> None:
        nonlocal before
        before = neon.store.get(Role, role.id) or before
        owner = neon.journal.check(project)
        neon.store.update(Role, role.id, lambda row: as_stored(owner, replace(row, **new)))

    def take_back() -> None:
        old = {name: getattr(before, name) for name in new}
        neon.store.update(Role, role.id, setting(**old))

    work = partial(
        _with_password,
        neon,
        branch,
        role,
        catalogs.set_password,
        record=record,
        take_back=take_back,
    )
    return role, neon.journal.run(
        project, [PlannedOperation("apply_config", branch.id)], SimpleChange(work)
    )


def _with_password(
    neon: LocalNeon,
    branch: Branch,
    role: Role,
    statement: Callable[[catalogs.Connection, Role], None],
    *,
    record: Callable[[], None],
    take_back: Callable[[], object],
) -> Completion:
    """Give a role a password: it is recorded first, and Postgres is told next.

    A server that is killed in between finds the branch's data marked as one that has other
    passwords than the store, and sets these when it starts the branch's server.
    """
    with ExitStack() as stack:
        # Nobody looks at the branch's roles until it is so, or was taken back.
        current = stack.enter_context(neon.computes.present(branch))
        with catalogs.refusals(), neon.computes.admin(current) as connection:
            with neon.store.transaction():
                record()
                _mark(neon, current, ClusterOrigin.RESTORED)
            try:
                statement(connection, role)
            except BaseException:
                with neon.store.transaction():
                    take_back()
                    _mark(neon, current, ClusterOrigin.STARTED)
                raise
        return Completion(
            partial(_mark, neon, current, ClusterOrigin.STARTED), held=stack.pop_all()
        )


def _mark(neon: LocalNeon, branch: Branch, state: ClusterOrigin) -> None:
    neon.store.update(Cluster, branch.cluster_id, setting(state=state))


def renew(neon: LocalNeon, branch: Branch) -> None:
    """Give all roles of a branch new passwords, which its server learns when it starts.

    Roles that were created by SQL get one as well: theirs may be known to whoever created them.
    The caller has stopped the branch's servers, and lets none start until it is so.
    """
    now = neon.clock.now()
    for role in neon.store.all(Role, branch_id=branch.id):
        password = ids.password()
        new = {"password": password, "verifier": template.scram_verifier(password)}
        neon.store.update(Role, role.id, setting(**new, updated_at=now))
    cluster = neon.store.get(Cluster, branch.cluster_id)
    if cluster is not None and cluster.state is ClusterOrigin.STOPPED:
        _mark(neon, branch, ClusterOrigin.COPIED)
    elif (
        cluster is not None and cluster.state is ClusterOrigin.STARTED
    ):  # it was not stopped, but crashed
        _mark(neon, branch, ClusterOrigin.RESTORED)


def password_of(neon: LocalNeon, project: Project, branch: Branch, name: str) -> str:
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
