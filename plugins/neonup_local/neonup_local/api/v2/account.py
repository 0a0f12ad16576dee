"""Users, organizations, keys and regions."""

from __future__ import annotations

import uuid

from neonup_local.api.v2 import answers
from neonup_local.api.v2.operations import Answer, Call, operation
from neonup_local.api.v2.paging import page
from neonup_local.neon import projects
from neonup_local.neon.errors import Forbidden, NotFound
from neonup_local.neon.model import ApiKey, Organization, User
from neonup_local.neon.requests import CreateKey, CreateOrgKey

_ORG = "/organizations/{org_id}"
_NOWHERE = "127.0.0.1"


def _user(call: Call) -> User:
    """The person who asks; an organization's key is nobody's.

    Raises:
        NotFound: it is an organization's key.
    """
    if call.caller.is_organization:
        raise NotFound("user not found")
    return call.caller.user


def _organization(call: Call) -> Organization:
    return call.neon.identity.organization(call.caller, call.path["org_id"])


@operation("getCurrentUserInfo", "GET /users/me")
def get_current_user_info(call: Call) -> Answer:
    user = _user(call)
    nothing = ("address_city", "address_country", "address_line1", "address_line2")
    return {
        "active_seconds_limit": 0,
        "billing_account": {
            "state": "active",
            "payment_source": {"type": "none"},
            "subscription_type": "scale",
            "payment_method": "none",
            "quota_reset_at_last": answers.moment(user.created_at),
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
        "projects_limit": 1000,
        "branches_limit": 5000,
        "max_autoscaling_limit": 16,
        "plan": "scale",
    }


@operation("getCurrentUserOrganizations", "GET /users/me/organizations")
def get_current_user_organizations(call: Call) -> Answer:
    """One."""
    _user(call)
    found = call.neon.identity.organizations()
    return {"organizations": [answers.organization(one) for one in found]}


@operation("getAuthDetails", "GET /auth")
def get_auth_details(call: Call) -> Answer:
    key = call.caller.key
    return {
        "account_id": key.org_id or call.caller.user.id,
        "auth_method": "api_key_org" if key.org_id else "api_key_user",
        "auth_data": str(key.number),
    }


@operation("listApiKeys", "GET /api_keys")
def list_api_keys(call: Call) -> Answer:
    return [_key(call, key) for key in call.neon.identity.keys(user=_user(call))]


@operation("createApiKey", "POST /api_keys")
def create_api_key(call: Call) -> Answer:
    user, name = _user(call), call.body(CreateKey).key_name
    return _new_key(*call.neon.identity.create_key(user, name))


@operation("revokeApiKey", "DELETE /api_keys/{key_id}")
def revoke_api_key(call: Call) -> Answer:
    return _revoked(call.neon.identity.revoke(call.number("key_id"), user=_user(call)))


@operation("getOrganization", f"GET {_ORG}")
def get_organization(call: Call) -> Answer:
    return answers.organization(_organization(call))


@operation("listOrgApiKeys", f"GET {_ORG}/api_keys")
def list_org_api_keys(call: Call) -> Answer:
    organization = _organization(call)
    return [_key(call, key) for key in call.neon.identity.keys(org_id=organization.id)]


@operation("createOrgApiKey", f"POST {_ORG}/api_keys")
def create_org_api_key(call: Call) -> Answer:
    organization, wanted = _organization(call), call.body(CreateOrgKey)
    if call.caller.key.project_id is not None:
        raise Forbidden("a key of one project cannot create keys")
    if wanted.project_id is not None:
        projects.find(call.neon, call.caller, wanted.project_id)
    key, secret = call.neon.identity.create_key(
        call.caller.user, wanted.key_name, org_id=organization.id, project_id=wanted.project_id
    )
    return _new_key(key, secret)


@operation("revokeOrgApiKey", f"DELETE {_ORG}/api_keys/{{key_id}}")
def revoke_org_api_key(call: Call) -> Answer:
    organization = _organization(call)
    return _revoked(call.neon.identity.revoke(call.number("key_id"), org_id=organization.id))


@operation("getOrganizationMembers", f"GET {_ORG}/members")
def get_organization_members(call: Call) -> Answer:
    organization = _organization(call)
    users = call.neon.identity.users()
    shown, _ = page(call, users, lambda one: one.email, descending=False, default=100, largest=1000)
    members = [
        {"member": _member(organization, user), "user": {"email": user.email}} for user in shown
    ]
    return {"members": members, "pagination": {"sort_by": "email", "sort_order": "ASC"}}


@operation("getOrganizationMember", f"GET {_ORG}/members/{{member_id}}")
def get_organization_member(call: Call) -> Answer:
    organization = _organization(call)
    for user in call.neon.identity.users():
        member = _member(organization, user)
        if member["id"] == call.path["member_id"]:
            return member
    raise NotFound("member not found")


@operation("getActiveRegions", "GET /regions")
def get_active_regions(call: Call) -> Answer:
    if org_id := call.query.get("org_id"):
        call.neon.identity.organization(call.caller, org_id)
    here = {
        "region_id": "aws-us-east-2",
        "name": "This machine",
        "default": True,
        "geo_lat": "0",
        "geo_long": "0",
    }
    return {"regions": [here]}


def _member(organization: Organization, user: User) -> answers.Shown:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{organization.id}/{user.id}")),
        "user_id": user.id,
        "org_id": organization.id,
        "role": "admin",
        "joined_at": answers.moment(organization.created_at),
    }


def _key(call: Call, key: ApiKey) -> answers.Shown:
    user = call.neon.store.get(User, key.user_id) or call.caller.user
    creator = {"id": user.id, "name": user.name, "image": ""}
    return _seen(key) | {"created_by": creator}


def _new_key(key: ApiKey, secret: str) -> answers.Shown:
    shown = {
        "id": key.number,
        "key": secret,
        "name": key.name,
        "created_at": answers.moment(key.created_at),
        "created_by": key.user_id,
    }
    return shown | ({"project_id": key.project_id} if key.project_id else {})


def _revoked(key: ApiKey) -> answers.Shown:
    return _seen(key) | {"created_by": key.user_id, "revoked": True}


def _seen(key: ApiKey) -> answers.Shown:
    shown = {
        "id": key.number,
        "name": key.name,
        "created_at": answers.moment(key.created_at),
        "last_used_from_addr": _NOWHERE if key.last_used_at else "",
    }
    if key.last_used_at:
        shown["last_used_at"] = answers.moment(key.last_used_at)
    return shown | ({"project_id": key.project_id} if key.project_id else {})
