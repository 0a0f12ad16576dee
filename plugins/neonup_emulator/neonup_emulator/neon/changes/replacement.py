"""Letting one branch take the place of another."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count

from neonup_emulator.neon import branches
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound, Unprocessable
from neonup_emulator.neon.model import Branch, Endpoint, Operation, Project
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def take_place(neon: LocalNeon, new_id: str, old_id: str, name: str | None) -> None:
    """Let a branch take another one's place: its name, endpoints, role in the project, schedule.

    Call it in a transaction, while nothing can start the server of either.

    Args:
        new_id: the branch that stays.
        old_id: the branch that is replaced.
        name: the new name of the replaced branch; None: its own name and ``(old)``.

    Raises:
        NotFound: one of them is gone.
    """
    store, now = neon.store, neon.clock.now()
    nothing = {"default": False, "protected": False, "backup_schedule": [], "backup_looked": []}
    old = store.get(Branch, old_id)
    if old is None:
        raise NotFound("branch not found")
    left = name or _left(neon, old)
    # This one first: two branches of one name cannot be.
    store.update(Branch, old_id, setting(name=left, **nothing, updated_at=now))
    place = {field: getattr(old, field) for field in ("name", *nothing)}
    store.update(Branch, new_id, setting(**place, restore_target=None, updated_at=now))
    own = store.all(Endpoint, branch_id=new_id)
    taken = store.all(Endpoint, branch_id=old_id)
    for endpoint in own:  # out of the way: two endpoints of a branch that write cannot be
        store.update(Endpoint, endpoint.id, setting(branch_id=endpoint.id))
    for endpoints, branch_id in ((taken, new_id), (own, old_id)):
        for endpoint in endpoints:
            store.update(Endpoint, endpoint.id, setting(branch_id=branch_id, updated_at=now))


def _left(neon: LocalNeon, old: Branch) -> str:
    """What a replaced branch is called: the first such name that is free."""
    taken = {branch.name for branch in neon.store.all(Branch, project_id=old.project_id)}
    names = (f"{old.name} (old{f' {number}' if number else ''})" for number in count())
    return next(name for name in names if name not in taken)


def finalize(
    neon: LocalNeon, project: Project, branch: Branch, name: str | None
) -> list[Operation]:
    """Let a branch that was restored from a snapshot take its target's place.

    Raises:
        Conflict: there is a branch of the name that the target is to have.
        Unprocessable: the branch was not restored from a snapshot, or has taken the place already.
    """

    def both() -> tuple[Branch, Branch]:
        new = branches.find(neon, project, branch.id)
        old = neon.store.get(Branch, new.restore_target or "")
        if old is None:
            raise Unprocessable(
                "the branch is not a restored branch that is waiting to be finalized"
            )
        return new, old

    def prepare() -> list[Row]:
        both()
        if name is not None:
            branches.free_name(neon, project, name)
        return []

    def work() -> Completion:
        new, old = both()
        with ExitStack() as stack:
            for stopping in (new, old):
                stack.enter_context(neon.computes.stopped(stopping))
            return Completion(lambda: take_place(neon, new.id, old.id, name), held=stack.pop_all())

    return neon.journal.run(
        project,
        [PlannedOperation("swap_binding_id", branch.id)],
        SimpleChange(work, prepare=prepare),
    )
