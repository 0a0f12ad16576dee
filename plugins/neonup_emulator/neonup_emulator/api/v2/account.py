"""Users, organizations, keys and regions."""

from __future__ import annotations

from collections.abc import Callable

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.api.v2.paging import Rank, page
from neonup_emulator.neon import projects, regions
from neonup_emulator.neon.accounts import plans
from neonup_emulator.neon.accounts.model import ApiKey, Member, Organization, Plan, User
from neonup_emulator.neon.errors import Forbidden, NotFound
from neonup_emulator.neon.requests.access import CreateKey, CreateOrgKey

_ORG = "/organizations/{org_id}"
_NOWHERE = "127.0.0.1"


def _user(call: RequestContext) -> User:
    """The person whose credential it is.

    Raises:
        NotFound: the credential is an organization's key, which belongs to no person.
    """
    if call.caller.is_organization:
        raise NotFound("user not found")
    return call.caller.user


def _organization(call: RequestContext) -> Organization:
    return call.neon.identity.readable(call.caller, call.path["org_id"])


@operation("getCurrentUserInfo", "GET /users/me")
def get_current_user_info(call: RequestContext) -> Answer:
    """The plan and its limits are those of the user's own organization."""
    user = _user(call)
    own = call.neon.people.organizations_of(user)[:1]
    plan: Plan = own[0].plan if own else "free"
    limits = plans.limits(plan)
    nothing = ("address_city", "address_country", "address_line1", "address_line2")
    return {
        "active_seconds_limit": 0,
        "billing_account": {
            "state": "active",
            "payment_source": {"type": "none"},
            "subscription_type": plans.SUBSCRIPTIONS[plan],
            "spending_limit_cents": own[0].spending_limit_cents if own else None,
            "payment_method": "none",
            "quota_reset_at_last": serializers.moment(user.created_at),
            "name": user.name,
            "email": user.email,
            "address_postal_code": "",
            "address_state": "",
            **dict.fromkeys(nothing, ""),
        },
        "auth_accounts": [],
        "email": user.email,
        "id": user.id,
        "image": "",
        "login": user.email,
        "name": user.name,
        "last_name": "",
        "projects_limit": limits.projects,
        "branches_limit": limits.branches,
        "max_autoscaling_limit": limits.max_cu,
        "plan": plan,
    }


@operation("getCurrentUserOrganizations", "GET /users/me/organizations")
def get_current_user_organizations(call: RequestContext) -> Answer:
    """The user's organizations; with an organization's or project's key its owner alone."""
    caller = call.caller
    if caller.org_id is not None:
        organizations = [call.neon.identity.organization(caller, caller.org_id)]
    else:
        organizations = call.neon.people.organizations_of(caller.user)
    return {
        "organizations": [serializers.organization(organization) for organization in organizations]
    }


@operation("getAuthDetails", "GET /auth")
def get_auth_details(call: RequestContext) -> Answer:
    caller = call.caller
    return {
        "account_id": caller.org_id or caller.user.id,
        "auth_method": caller.method,
        "auth_data": caller.credential_id,
    }


@operation("listApiKeys", "GET /api_keys")
def list_api_keys(call: RequestContext) -> Answer:
    return [_key(call, key) for key in call.neon.identity.keys(user=_user(call))]


@operation("createApiKey", "POST /api_keys")
def create_api_key(call: RequestContext) -> Answer:
    user, name = _user(call), call.body(CreateKey).key_name
    return _new_key(*call.neon.identity.create_key(user, name))


@operation("revokeApiKey", "DELETE /api_keys/{key_id}")
def revoke_api_key(call: RequestContext) -> Answer:
    return _revoked(call.neon.identity.revoke(call.number("key_id"), user=_user(call)))


@operation("getOrganization", f"GET {_ORG}")
def get_organization(call: RequestContext) -> Answer:
    shown = call.neon.identity.organization(call.caller, call.path["org_id"])
    return serializers.organization(shown)


@operation("listOrgApiKeys", f"GET {_ORG}/api_keys")
def list_org_api_keys(call: RequestContext) -> Answer:
    organization = _organization(call)
    return [_key(call, key) for key in call.neon.identity.keys(org_id=organization.id)]


@operation("createOrgApiKey", f"POST {_ORG}/api_keys")
def create_org_api_key(call: RequestContext) -> Answer:
    """For admins, with a personal key, as https://neon.com/docs/manage/api-keys asks for."""
    organization = call.neon.identity.administered(call.caller, call.path["org_id"])
    if call.caller.is_organization:
        raise Forbidden("keys are created with a personal key, not an organization's")
    wanted = call.body(CreateOrgKey)
    if wanted.project_id is not None:
        project = projects.find(call.neon, call.caller, wanted.project_id)
        if project.org_id != organization.id:
            raise NotFound("project not found")
    key, secret = call.neon.identity.create_key(
        call.caller.user, wanted.key_name, org_id=organization.id, project_id=wanted.project_id
    )
    return _new_key(key, secret)


@operation("revokeOrgApiKey", f"DELETE {_ORG}/api_keys/{{key_id}}")
def revoke_org_api_key(call: RequestContext) -> Answer:
    organization = call.neon.identity.administered(call.caller, call.path["org_id"])
    return _revoked(call.neon.identity.revoke(call.number("key_id"), org_id=organization.id))


@operation("getOrganizationMembers", f"GET {_ORG}/members")
def get_organization_members(call: RequestContext) -> Answer:
    organization = _organization(call)
    orders: dict[str, Callable[[Member], Rank]] = {
        "joined_at": lambda member: member.joined_at,
        "email": lambda member: _email(call, member),
        "role": lambda member: member.role,
    }
    sort_by = call.choice("sort_by", orders, "joined_at")
    order = call.choice("sort_order", ("asc", "desc"), "asc")
    by, descending = orders[sort_by], order == "desc"
    members = sorted(call.neon.people.members(organization.id), key=by, reverse=descending)
    shown, cursor = page(call, members, by, descending=descending, default=100, largest=500)
    more = bool(shown) and shown[-1] is not members[-1]
    pagination = {"sort_by": sort_by, "sort_order": order.upper()}
    return {
        "members": [
            {"member": member_shown(member), "user": {"email": _email(call, member)}}
            for member in shown
        ],
        "pagination": pagination | ({"next": cursor} if more else {}),
    }


@operation("getOrganizationMember", f"GET {_ORG}/members/{{member_id}}")
def get_organization_member(call: RequestContext) -> Answer:
    organization = _organization(call)
    return member_shown(call.neon.people.find_member(organization.id, call.path["member_id"]))


@operation("getActiveRegions", "GET /regions")
def get_active_regions(call: RequestContext) -> Answer:
    if org_id := call.query.get("org_id"):
        call.neon.identity.organization(call.caller, org_id)
    shown = [
        {
            "region_id": region,
            "name": f"This machine as {region}",
            "default": region == regions.DEFAULT,
            "geo_lat": "0",
            "geo_long": "0",
        }
        for region in regions.ALL
    ]
    return {"regions": shown}


def member_shown(member: Member) -> serializers.Shown:
    """A membership."""
    return {
        "id": member.id,
        "user_id": member.user_id,
        "org_id": member.org_id,
        "role": member.role,
        "joined_at": serializers.moment(member.joined_at),
    }


def _email(call: RequestContext, member: Member) -> str:
    user = call.neon.people.user(member.user_id)
    return user.email if user else ""


def _key(call: RequestContext, key: ApiKey) -> serializers.Shown:
    user = call.neon.store.get(User, key.user_id) or call.caller.user
    creator = {"id": user.id, "name": user.name, "image": ""}
    return _seen(key) | {"created_by": creator}


def _new_key(key: ApiKey, secret: str) -> serializers.Shown:
    shown = {
        "id": key.number,
        "key": secret,
        "name": key.name,
        "created_at": serializers.moment(key.created_at),
        "created_by": key.user_id,
    }
    return shown | ({"project_id": key.project_id} if key.project_id else {})


def _revoked(key: ApiKey) -> serializers.Shown:
    return _seen(key) | {"created_by": key.user_id, "revoked": True}


def _seen(key: ApiKey) -> serializers.Shown:
    shown = {
        "id": key.number,
        "name": key.name,
        "created_at": serializers.moment(key.created_at),
        "last_used_from_addr": _NOWHERE if key.last_used_at else "",
    }
    if key.last_used_at:
        shown["last_used_at"] = serializers.moment(key.last_used_at)
    return shown | ({"project_id": key.project_id} if key.project_id else {})
