"""Projects that come to belong to another organization."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from msgspec.structs import replace

from neonup_emulator.neon import roles
from neonup_emulator.neon.accounts.model import Organization, User
from neonup_emulator.neon.context import Neon
from neonup_emulator.neon.model import Branch, Project, Row
from neonup_emulator.neon.state.journal import Change, Step


def move(neon: Neon, project: Project, organization: Organization, owner: User) -> Project:
    """Give a project to an organization; its data, addresses and passwords stay.

    Raises:
        Locked: the project is being changed.
    """
    with neon.journal.alone(project.id):
        return give(neon, project, organization, owner)


def give(neon: Neon, project: Project, organization: Organization, owner: User) -> Project:
    """The same, for a caller who sees to it that nothing else changes the project."""
    moved = _moved(neon, project, organization, owner)
    neon.store.put(moved)
    return moved


def claim(
    neon: Neon,
    project: Project,
    organization: Organization,
    owner: User,
    *,
    also: Sequence[Row] = (),
) -> Project:
    """Give a project to whoever claims it: all its passwords are new, its connections end.

    The quota goes: it was that of unclaimed projects.

    Args:
        also: rows to write in the same moment.

    Raises:
        Locked: the project is being changed.
    """
    moved = _moved(neon, project, organization, owner)
    settings = {name: value for name, value in moved.settings.items() if name != "quota"}
    moved = replace(moved, settings=settings)
    branches = neon.store.all(Branch, project_id=project.id)

    def work() -> Change:
        with ExitStack() as stack:
            rows: list[Row] = [moved, *also]
            for branch in branches:
                stack.enter_context(neon.computes.held(branch.cluster_id))
                rows += roles.renewed(neon, branch)
            return Change(put=rows, held=stack.pop_all())

    neon.journal.run(project.id, [Step("apply_config", one.id) for one in branches], work)
    return moved


def _moved(neon: Neon, project: Project, organization: Organization, owner: User) -> Project:
    current = neon.store.get(Project, project.id) or project
    now = neon.clock.now()
    return replace(current, org_id=organization.id, owner_id=owner.id, updated_at=now)
