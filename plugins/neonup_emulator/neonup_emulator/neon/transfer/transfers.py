"""Projects that come to belong to another organization."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from neonup_emulator.neon import roles
from neonup_emulator.neon.accounts.model import Organization, User
from neonup_emulator.neon.claimable import holding
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Branch, Operation, Project, ProjectGrant
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import setting


def give(neon: LocalNeon, project: Project, organization: Organization, owner: User) -> Project:
    """Give a project to an organization; its data, addresses and passwords stay.

    Permissions that members of the old one were given for it go.

    Call it in a transaction in which nothing else changes the project.

    Raises:
        NotFound: the project is gone.
    """
    now = neon.clock.now()
    neon.store.delete(*neon.store.all(ProjectGrant, project_id=project.id))
    new = {"org_id": organization.id, "owner_id": owner.id, "updated_at": now, "creator_id": None}
    return neon.store.update(Project, project.id, setting(**new))


def claim(
    neon: LocalNeon,
    project: Project,
    organization: Organization,
    owner: User,
    *,
    check: Callable[[], object] = tuple,
    also: Callable[[], object] = tuple,
) -> None:
    """Give a project to whoever claims it: all its passwords are new, its connections end.

    The quota goes: it was that of unclaimed projects.

    Args:
        check: as of `renew_passwords`, and so is `also`.

    Raises:
        Refused: as `renew_passwords` raises.
    """

    def move() -> None:
        holding.release(neon.store, project)
        give(neon, project, organization, owner)
        also()

    renew_passwords(neon, project, check=check, also=move)


def renew_passwords(
    neon: LocalNeon,
    project: Project,
    *,
    check: Callable[[], object] = tuple,
    also: Callable[[], object] = tuple,
) -> list[Operation]:
    """Give all roles of a project new passwords, and end its connections.

    Args:
        check: raises where it is not to be done any more; runs once nothing else can change the
            project.
        also: writes in the same moment that it was done; what it raises leaves all as it was.

    Returns:
        The operations, `running` where the work goes on.

    Raises:
        Locked: the project is being changed.
        NotFound: it was deleted meanwhile, or is somebody else's now.
        Refused: what `check` or `also` raised.
    """
    planned = [
        PlannedOperation("apply_config", other.id)
        for other in neon.store.all(Branch, project_id=project.id)
    ]

    def prepare() -> list[Row]:
        check()
        return []

    def work() -> Completion:
        with ExitStack() as stack:
            for branch in neon.store.all(Branch, project_id=project.id):
                neon.computes.refresh(branch)
                stack.enter_context(neon.computes.stopped(branch))
            return Completion(apply, held=stack.pop_all())

    def apply() -> None:
        for branch in neon.store.all(Branch, project_id=project.id):
            roles.renew(neon, branch)
        also()

    return neon.journal.run(project, planned, SimpleChange(work, prepare=prepare))
