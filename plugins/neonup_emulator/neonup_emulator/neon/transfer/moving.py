"""Projects that their owner moves from one organization to another, as platforms do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from neonup_emulator.neon.accounts import fitting
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import Organization
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Conflict, Forbidden, NotFound
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.transfer import transfers
from neonup_emulator.neon.transfer.transfer_requests import check_giver, check_taker


def check_personal(caller: Caller) -> None:
    """Refuse an organization's key: Neon's guide for agent platforms asks for a personal one.

    Raises:
        Forbidden: the caller's key belongs to an organization.
    """
    if caller.is_organization:
        raise Forbidden("projects are transferred with a personal key, not an organization's")


def move_all(
    neon: LocalNeon, caller: Caller, source: Organization, destination_id: str, ids: Sequence[str]
) -> None:
    """Move projects, all or none; their data, addresses, passwords, quotas and shares stay.

    Raises:
        Forbidden: the caller has an organization's key, or may not transfer projects of the source
            or of the destination.
        NotFound: there is no such organization, or a project is not the source's.
        Conflict: the source is the destination.
        Locked: one of the projects is being changed.
        Unsatisfied: the plan of the destination does not allow it.
    """
    check_personal(caller)
    destination = neon.identity.organization(caller, destination_id)
    check_giver(neon, caller, source.id)
    check_taker(neon, caller, destination.id)
    if source.id == destination.id:
        raise Conflict("the projects are in that organization already")
    projects = [_of(neon, source, id_) for id_ in dict.fromkeys(ids)]
    with ExitStack() as stack:
        current = [stack.enter_context(neon.journal.alone(other)) for other in projects]
        check_giver(neon, caller, source.id)  # they may have been removed meanwhile
        check_taker(neon, caller, destination.id)
        fitting.check_transfer(neon, current, destination)
        for project in current:
            transfers.give(neon, project, destination, caller.user)


def _of(neon: LocalNeon, source: Organization, id_: str) -> Project:
    project = neon.store.get(Project, id_)
    if project is None or project.deleted_at is not None or project.org_id != source.id:
        raise NotFound(f"project not found: {id_}")
    return project
