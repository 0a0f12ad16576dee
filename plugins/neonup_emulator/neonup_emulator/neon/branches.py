"""Branches."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from msgspec.structs import replace

from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Conflict, NotFound, Unprocessable
from neonup_emulator.neon.model import Branch, Endpoint, Operation, Project
from neonup_emulator.neon.purging import forget_branch
from neonup_emulator.neon.requests.branches import BranchChanges
from neonup_emulator.neon.requests.fields import given
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting

Changed = tuple[Branch, list[Operation]]


def find(neon: LocalNeon, project: Project, id: str) -> Branch:  # noqa: A002
    """A branch of a project.

    Raises:
        NotFound: the project has no branch with that id.
    """
    branch = neon.store.get(Branch, id)
    if branch is None or branch.project_id != project.id:
        raise NotFound("branch not found")
    return branch


def default(neon: LocalNeon, project: Project) -> Branch:
    """The project's default branch."""
    return next(
        branch for branch in neon.store.all(Branch, project_id=project.id) if branch.default
    )


def update(neon: LocalNeon, project: Project, branch: Branch, changes: BranchChanges) -> Changed:
    """Rename a branch, protect it, or give it an expiry.

    Raises:
        Conflict: there is a branch of that name.
        Unprocessable: it cannot expire, or not in the past.
    """
    values = given(changes)
    now = neon.clock.now()

    def change(current: Branch) -> Branch:
        if (expires_at := values.get("expires_at")) is not None:
            if current.default or current.protected:
                raise Unprocessable("a default or protected branch cannot expire")
            if expires_at <= now:
                raise Unprocessable("expires_at must be in the future")
        return replace(current, **values, updated_at=now)

    with neon.journal.alone(project):
        return neon.store.update(Branch, branch.id, change), []


def set_default(neon: LocalNeon, project: Project, branch: Branch) -> Changed:
    """Make a branch the project's default one."""
    now = neon.clock.now()
    with neon.journal.alone(project):
        for other in neon.store.all(Branch, project_id=project.id):
            if other.default and other.id != branch.id:
                neon.store.update(Branch, other.id, setting(default=False, updated_at=now))
        chosen = setting(default=True, expires_at=None, updated_at=now)
        return neon.store.update(Branch, branch.id, chosen), []


def delete(
    neon: LocalNeon, project: Project, branch: Branch, *, check: Callable[[Branch], object] = bool
) -> Changed:
    """Delete a branch with its data.

    Args:
        check: is given the branch as it is once nothing else can change it, and raises where it
            is to stay.

    Raises:
        Unprocessable: it is the default one, protected, or has children.
    """

    def prepare() -> list[Row]:
        current = find(neon, project, branch.id)
        _may_go(neon, project, current)
        check(current)
        return []

    def work() -> Completion:
        current = find(neon, project, branch.id)
        opened = neon.store.all(Endpoint, branch_id=branch.id)
        for endpoint in opened:
            neon.computes.front.close(endpoint.id)
        with ExitStack() as stack:
            stack.enter_context(neon.computes.stopped(current))
            neon.meter.end(current)
            return Completion(
                lambda: forget_branch(neon.store, current),
                after=[
                    lambda: neon.clusters.remove(current.cluster_id),
                    *(partial(neon.authority.forget, other.address) for other in opened),
                ],
                held=stack.pop_all(),
            )

    operations = neon.journal.run(
        project,
        [
            PlannedOperation("suspend_compute", branch.id),
            PlannedOperation("delete_timeline", branch.id),
        ],
        SimpleChange(work, prepare=prepare),
    )
    return branch, operations


def _may_go(neon: LocalNeon, project: Project, branch: Branch) -> None:
    if branch.default:
        raise Unprocessable("the default branch cannot be deleted")
    if branch.protected:
        raise Unprocessable("a protected branch cannot be deleted")
    if any(other.parent_id == branch.id for other in neon.store.all(Branch, project_id=project.id)):
        raise Unprocessable("a branch that has child branches cannot be deleted")


def free_name(neon: LocalNeon, project: Project, name: str) -> str:
    """The name itself, which a new branch can have.

    Raises:
        Conflict: there is a branch of that name.
    """
    if any(branch.name == name for branch in neon.store.all(Branch, project_id=project.id)):
        raise Conflict("branch already exists")
    return name
