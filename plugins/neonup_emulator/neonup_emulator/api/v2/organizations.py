"""What the admins of an organization do: members, invitations, and the spending limit."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.account import member_shown
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.neon.accounts.model import Invitation, MemberRole, Organization
from neonup_emulator.neon.requests.fields import Email

_ORG = "/organizations/{org_id}"


class _MemberChanges(Struct):
    """Body of `updateOrganizationMember`."""

    role: MemberRole


class _NewInvitation(Struct):
    """Somebody to be invited."""

    email: Email
    role: MemberRole


class _NewInvitations(Struct):
    """Body of `createOrganizationInvitations`."""

    invitations: list[_NewInvitation]


class _SpendingLimit(Struct):
    """Body of `setOrganizationSpendingLimit`."""

    spending_limit_cents: Annotated[int, Meta(ge=1, le=2**63 - 1)]


@operation("updateOrganizationMember", f"PATCH {_ORG}/members/{{member_id}}")
def update_organization_member(call: RequestContext) -> Answer:
    organization = _administered(call)
    member = call.neon.people.find_member(organization.id, call.path["member_id"])
    return member_shown(call.neon.people.change_role(member, call.body(_MemberChanges).role))


@operation("removeOrganizationMember", f"DELETE {_ORG}/members/{{member_id}}")
def remove_organization_member(call: RequestContext) -> Answer:
    """Transfer requests that the member made are void from then on."""
    organization = _administered(call)
    member = call.neon.people.find_member(organization.id, call.path["member_id"])
    call.neon.people.remove(member)
    return {}


@operation("getOrganizationInvitations", f"GET {_ORG}/invitations")
def get_organization_invitations(call: RequestContext) -> Answer:
    organization = _read(call)
    return _invitations(call.neon.people.invitations(organization.id))


@operation("createOrganizationInvitations", f"POST {_ORG}/invitations")
def create_organization_invitations(call: RequestContext) -> Answer:
    """For admins; no email is sent."""
    organization = _administered(call)
    wanted = call.body(_NewInvitations).invitations
    with call.neon.store.transaction():
        created = [
            call.neon.people.invite(organization.id, invited.email, invited.role, call.caller.user)
            for invited in wanted
        ]
    return _invitations(created)


@operation("getOrganizationSpendingLimit", f"GET {_ORG}/billing/spending_limit")
def get_organization_spending_limit(call: RequestContext) -> Answer:
    return {"spending_limit_cents": call.neon.people.spending_limit(_read(call).id)}


@operation("setOrganizationSpendingLimit", f"PUT {_ORG}/billing/spending_limit")
def set_organization_spending_limit(call: RequestContext) -> Answer:
    """Kept and shown; nothing here costs anything, so it is never reached."""
    organization, cents = _administered(call), call.body(_SpendingLimit).spending_limit_cents
    changed = call.neon.people.set_spending_limit(organization.id, cents)
    return {"spending_limit_cents": changed.spending_limit_cents}


@operation("deleteOrganizationSpendingLimit", f"DELETE {_ORG}/billing/spending_limit")
def delete_organization_spending_limit(call: RequestContext) -> Answer:
    call.neon.people.set_spending_limit(_administered(call).id, None)
    return {}


def _read(call: RequestContext) -> Organization:
    return call.neon.identity.readable(call.caller, call.path["org_id"])


def _administered(call: RequestContext) -> Organization:
    return call.neon.identity.administered(call.caller, call.path["org_id"])


def _invitations(rows: list[Invitation]) -> serializers.Shown:
    return {
        "invitations": [
            {
                "id": row.id,
                "email": row.email,
                "org_id": row.org_id,
                "invited_by": row.invited_by,
                "invited_at": serializers.moment(row.invited_at),
                "role": row.role,
            }
            for row in rows
        ]
    }
