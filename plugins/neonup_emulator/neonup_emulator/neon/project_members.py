"""The members of a project's organization, and their permissions for the project."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import ApiKey, Member
from neonup_emulator.neon.accounts.project_access import Level, ProjectAccess
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden, Refused
from neonup_emulator.neon.model import Permission, Project, ProjectGrant


@dataclass(frozen=True)
class ProjectMember:
    """A member of the organization, and what they may do with the project."""

    member: Member
    email: str
    name: str
    access: ProjectAccess


@dataclass(frozen=True)
class RoleChange:
    """What became of a member's permission.

    Args:
        rotate_credentials: whether they may still know passwords of a project that they may not
            connect to any more.
        rotate_keys: whether there are keys of the project that they made, who may do less now.
    """

    after: ProjectMember
    rotate_credentials: bool
    rotate_keys: bool


def listed(neon: LocalNeon, caller: Caller, project: Project) -> list[ProjectMember]:
    """The organization's members in the order of joining: for the project's admins all of them,
    for others those who reach the project."""
    members = [_of(neon, project, member) for member in neon.people.members(project.org_id)]
    if caller.level(project) == Level.ADMIN:
        return members
    return [member for member in members if member.access.effective is not None]


def set_role(
    neon: LocalNeon,
    caller: Caller,
    project: Project,
    member_id: str,
    level: Level | None,
    *,
    confirmed: bool,
) -> RoleChange:
    """Give a member a permission for the project, in place of the one that they were given before.

    What their role in the organization gives them stays theirs.

    Args:
        level: None: they are given none any more.
        confirmed: whether the caller knows that they may do less afterwards themselves.

    Raises:
        NotFound: the project or the member is gone.
        Forbidden: the caller is no admin of the project any more.
        Refused: the caller would lose their own permission, and did not confirm it.
    """
    with neon.store.transaction():
        before = _to_change(neon, caller, project, member_id)
        grants = neon.store.all(ProjectGrant, project_id=project.id)
        neon.store.delete(*[grant for grant in grants if grant.member_id == member_id])
        if level is not None:
            grant = ProjectGrant(
                id=str(uuid.uuid4()),
                project_id=project.id,
                member_id=member_id,
                level=level,
                granted_at=neon.clock.now(),
            )
            neon.store.insert(grant)
        change = _change(neon, project, before)
        is_own = not caller.is_organization and caller.user.id == before.member.user_id
        if is_own and _is_lower(before, change.after) and not confirmed:
            parameter = "confirm_self_demotion" if level else "confirm_self_lockout"
            raise Refused(f"you could not manage the project any more: add {parameter}=true")
    return change


def _of(neon: LocalNeon, project: Project, member: Member) -> ProjectMember:
    user = neon.people.user(member.user_id)
    email = user.email if user else ""
    grants = neon.store.all(ProjectGrant, project_id=project.id)
    shares = neon.store.all(Permission, project_id=project.id)
    access = ProjectAccess(
        member.role,
        next((grant.level for grant in grants if grant.member_id == member.id), None),
        creator=project.creator_id == member.user_id,
        shared=any(share.granted_to_email.casefold() == email.casefold() for share in shares),
    )
    return ProjectMember(member, email, user.name if user else "", access)


def _to_change(neon: LocalNeon, caller: Caller, project: Project, member_id: str) -> ProjectMember:
    """The member as they are now; the caller may have lost the right to ask since they were let in.

    Raises:
        NotFound: the project or the member is gone.
        Forbidden: the caller is no admin of the project any more.
    """
    neon.journal.check(project)
    now = caller
    if not caller.is_organization:
        now = neon.identity.personal(caller.user, caller.method, caller.credential_id)
    if now.level(project) != Level.ADMIN:
        raise Forbidden("only admins of the project can say who may use it")
    return _of(neon, project, neon.people.find_member(project.org_id, member_id))


def _change(neon: LocalNeon, project: Project, before: ProjectMember) -> RoleChange:
    after = _of(neon, project, before.member)
    user_id = before.member.user_id
    keys = [key for key in neon.store.all(ApiKey) if key.project_id == project.id]
    could, can = ((one.access.effective or 0) >= Level.EDITOR for one in (before, after))
    return RoleChange(
        after,
        rotate_credentials=could and not can,
        rotate_keys=_is_lower(before, after) and any(key.user_id == user_id for key in keys),
    )


def _is_lower(before: ProjectMember, after: ProjectMember) -> bool:
    return (after.access.effective or 0) < (before.access.effective or 0)
