"""The members of a project's organization, and what each may do with the project."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.api.v2.paging import page
from neonup_emulator.neon import project_members
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.project_members import ProjectMember, RoleChange

_ROLE = "/projects/{project_id}/members/{member_id}/role"


class _SetRole(Struct):
    """Body of `setProjectMemberRole`."""

    role: Literal["viewer", "editor", "admin"]


@operation("listProjectMembers", "GET /projects/{project_id}/members")
def list_project_members(call: RequestContext) -> Answer:
    """Every project here belongs to an organization that has permissions for projects."""
    found = project_members.listed(call.neon, call.caller, call.project())
    by_id = {listed.member.id: listed for listed in found}
    shown, cursor = page(
        call,
        [listed.member for listed in found],
        lambda member: member.joined_at,
        descending=False,
        default=100,
        largest=500,
    )
    more = bool(shown) and shown[-1] is not found[-1].member
    answer = {"project_members": [_member(by_id[member.id]) for member in shown]}
    return answer | ({"pagination": {"next": cursor}} if more else {})


@operation("setProjectMemberRole", f"PUT {_ROLE}")
def set_project_member_role(call: RequestContext) -> Answer:
    """For admins of the project: the permission that a member has besides what their role gives."""
    project, level = call.project(), Level[call.body(_SetRole).role.upper()]
    change = project_members.set_role(
        call.neon,
        call.caller,
        project,
        call.path["member_id"],
        level,
        confirmed=call.flag("confirm_self_demotion"),
    )
    return _changed(project.id, change)


@operation("removeProjectMemberRole", f"DELETE {_ROLE}")
def remove_project_member_role(call: RequestContext) -> Answer:
    """For admins of the project; what a member's role in the organization gives them stays."""
    project = call.project()
    change = project_members.set_role(
        call.neon,
        call.caller,
        project,
        call.path["member_id"],
        None,
        confirmed=call.flag("confirm_self_lockout"),
    )
    return _changed(project.id, change)


def _changed(project_id: str, change: RoleChange) -> serializers.Shown:
    shown = _member(change.after) | {
        "project_id": project_id,
        "credential_rotation_recommended": change.rotate_credentials,
        "org_api_key_rotation_recommended": change.rotate_keys,
    }
    shown.pop("grant_source")  # a list has it alone
    return shown


def _member(listed: ProjectMember) -> serializers.Shown:
    """What is None is left out: the document has no nulls here."""
    member, access = listed.member, listed.access
    shown = {
        "member_id": member.id,
        "user_id": member.user_id,
        "email": listed.email,
        "name": listed.name,
        "org_role": member.role,
        "grant_source": access.source,
        "project_role": access.effective.name.lower() if access.effective else None,
        **{
            f"{name}_project_permission": level.name if level else None
            for name, level in (
                ("org_default", access.default),
                ("explicit", access.explicit),
                ("effective", access.effective),
            )
        },
    }
    return {name: value for name, value in shown.items() if value is not None}
