"""Projects that are offered to whoever holds two ids, for a while and once."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from neonup_emulator.neon.accounts import fitting
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import Organization, User
from neonup_emulator.neon.accounts.project_access import CREATORS, MANAGERS
from neonup_emulator.neon.claimable import holding
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Conflict, Forbidden, Gone, NotFound
from neonup_emulator.neon.model import Permission, Project
from neonup_emulator.neon.state.store import setting
from neonup_emulator.neon.transfer import transfers
from neonup_emulator.neon.transfer.model import TransferRequest

DEFAULT_TTL = 86_400
"""Seconds that a request is valid for unless it says so."""
LONGEST_TTL = 365 * 86_400
"""The local Neon's choice; the document has no limit."""


@dataclass(frozen=True)
class Offer:
    """A transfer request that can be accepted, and what it is about."""

    request: TransferRequest
    project: Project
    giver: User | None
    source: Organization | None


def create(
    neon: LocalNeon, caller: Caller, project: Project, expires_at: datetime
) -> tuple[str, TransferRequest]:
    """Offer a project; earlier requests for it stay valid.

    Args:
        expires_at: until when it is valid.

    Returns:
        The request's id, which is not kept, and the request.

    Raises:
        Forbidden: the caller may not give the project away.
    """
    id_ = str(uuid.uuid4())
    request = TransferRequest(
        id=_digest(id_),
        project_id=project.id,
        org_id=project.org_id,
        user_id=caller.user.id,
        personal=not caller.is_organization,
        created_at=neon.clock.now(),
        expires_at=expires_at,
    )
    with neon.store.transaction():
        neon.journal.check(project)
        check_giver(neon, caller, project.org_id)
        neon.store.insert(request)
    return id_, request


def look(neon: LocalNeon, project_id: str, request_id: str) -> Offer:
    """What a request is about; whoever has its id may know.

    Raises:
        NotFound: there is no request with that id, or its project was deleted.
        Gone: it was used or has expired, or who made it may not give the project away any more.
    """
    request = neon.store.get(TransferRequest, _digest(request_id))
    if request is None or request.project_id != project_id:
        raise NotFound("transfer request not found")
    project = neon.store.get(Project, project_id)
    if project is None or project.deleted_at is not None:
        raise NotFound("the project of this transfer request was deleted")
    if request.used_at is not None:
        raise Gone("the transfer request was used already")
    if request.expires_at <= neon.clock.now():
        raise Gone("the transfer request has expired: ask for a new one")
    giver = neon.people.user(request.user_id)
    may = giver is not None and may_give(neon, giver, request.org_id)
    if project.org_id != request.org_id or (request.personal and not may):
        raise Gone("the transfer request is void: who made it does not have the project any more")
    return Offer(request, project, giver, neon.people.organization(request.org_id))


def accept(
    neon: LocalNeon, caller: Caller, project_id: str, request_id: str, org_id: str | None = None
) -> tuple[Project, Organization]:
    """Take the project; its data, addresses, passwords and quota stay, nobody else's access does.

    With a project that belonged to nobody its quota ends. Its agent may have made it larger than
    the plan of whoever claims it allows, and can do nothing about that any more: it is taken so.

    Args:
        org_id: for which organization; None: for the caller's own.

    Raises:
        NotFound: there is no such request, or the caller is not in the organization.
        Gone: the request cannot be used any more.
        Forbidden: the caller may not bring projects to the organization.
        Conflict: it has the project.
        Unsatisfied: its plan does not allow the project.
        Locked: the project is being changed.
    """
    offered = look(neon, project_id, request_id).project
    target = neon.identity.organization(caller, org_id) if org_id else neon.identity.home_of(caller)
    check_taker(neon, caller, target.id)
    with neon.journal.alone(offered):
        offer = look(neon, project_id, request_id)  # it may have been used meanwhile
        check_taker(neon, caller, target.id)
        if offer.project.org_id == target.id:
            raise Conflict(f"{target.name} has this project already")
        is_claim = holding.holds(offer.project)
        fitting.check_transfer_request(neon, offer.project, target, any_size=is_claim)
        if is_claim:
            holding.release(neon.store, offer.project)
        neon.store.delete(*neon.store.all(Permission, project_id=project_id))
        used = {"used_at": neon.clock.now()}
        neon.store.update(TransferRequest, offer.request.id, setting(**used))
        return transfers.give(neon, offer.project, target, caller.user), target


def destinations(neon: LocalNeon, user: User) -> list[Organization]:
    """The organizations that a person may bring a project to, their own first."""
    return [
        organization
        for organization in neon.people.organizations_of(user)
        if may_take(neon, user, organization.id)
    ]


def check_giver(neon: LocalNeon, caller: Caller, org_id: str) -> None:
    """Refuse whoever may not take projects out of an organization.

    Raises:
        Forbidden: with the key of one project, or as somebody else than an admin.
    """
    _refuse_project_key(caller)
    is_key = caller.is_organization and caller.org_id == org_id
    if not is_key and not may_give(neon, caller.user, org_id):
        raise Forbidden("only admins of the organization can take projects out of it")


def check_taker(neon: LocalNeon, caller: Caller, org_id: str) -> None:
    """Refuse whoever may not bring projects to an organization: it is like creating them there.

    Raises:
        Forbidden: with the key of one project, or as a collaborator.
    """
    _refuse_project_key(caller)
    is_key = caller.is_organization and caller.org_id == org_id
    if not is_key and not may_take(neon, caller.user, org_id):
        raise Forbidden("collaborators cannot bring projects to the organization")


def may_give(neon: LocalNeon, user: User, org_id: str) -> bool:
    """Whether somebody may take projects out of an organization."""
    member = neon.people.member(org_id, user)
    return member is not None and member.role in MANAGERS


def may_take(neon: LocalNeon, user: User, org_id: str) -> bool:
    """Whether somebody may bring projects to an organization."""
    member = neon.people.member(org_id, user)
    return member is not None and member.role in CREATORS


def _refuse_project_key(caller: Caller) -> None:
    if caller.project_id is not None:
        raise Forbidden("a key of one project cannot transfer projects")


def _digest(id_: str) -> str:
    # Ids are random: what makes a password's hash slow would add nothing.
    return hashlib.sha256(id_.encode()).hexdigest()
