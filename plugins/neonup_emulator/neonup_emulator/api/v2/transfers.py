"""Transfers of projects to other users and organizations."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.neon.requests.fields import Id
from neonup_emulator.neon.transfer import moving, transfer_requests


class _NewTransferRequest(Struct):
    """Body of `createProjectTransferRequest`."""

    ttl_seconds: Annotated[int, Meta(ge=1, le=transfer_requests.LONGEST_TTL)] = (
        transfer_requests.DEFAULT_TTL
    )


class _AcceptTransferRequest(Struct):
    """Body of `acceptProjectTransferRequest`."""

    org_id: Id | None = None


class _TransferProjects(Struct):
    """Body of `transferProjectsFromOrgToOrg` and `transferProjectsFromUserToOrg`."""

    destination_org_id: Id
    project_ids: Annotated[list[Id], Meta(min_length=1, max_length=400)]


@operation(
    "createProjectTransferRequest", "POST /projects/{project_id}/transfer_requests", status=201
)
def create_project_transfer_request(call: RequestContext) -> Answer:
    """Valid for up to a year; `/app/claim?p={project_id}&tr={id}&ru={redirect}` is its page."""
    project, ttl = call.project(), call.body(_NewTransferRequest).ttl_seconds
    until = call.neon.clock.now() + timedelta(seconds=ttl)
    id_, request = transfer_requests.create(call.neon, call.caller, project, until)
    return {
        "id": id_,
        "project_id": request.project_id,
        "created_at": serializers.moment(request.created_at),
        "expires_at": serializers.moment(request.expires_at),
    }


@operation(
    "acceptProjectTransferRequest",
    "PUT /projects/{project_id}/transfer_requests/{request_id}",
    status=204,
)
def accept_project_transfer_request(call: RequestContext) -> Answer:
    """404 where it is unknown or its project deleted, 410 once it was used or has expired."""
    transfer_requests.accept(
        call.neon,
        call.caller,
        call.path["project_id"],
        call.path["request_id"],
        call.body(_AcceptTransferRequest).org_id,
    )


@operation("transferProjectsFromOrgToOrg", "POST /organizations/{source_org_id}/projects/transfer")
def transfer_projects_from_org_to_org(call: RequestContext) -> Answer:
    """All or none; nothing here has integrations."""
    moving.check_personal(call.caller)
    source = call.neon.identity.organization(call.caller, call.path["source_org_id"])
    wanted = call.body(_TransferProjects)
    moving.move_all(call.neon, call.caller, source, wanted.destination_org_id, wanted.project_ids)
    return {}


@operation("transferProjectsFromUserToOrg", "POST /users/me/projects/transfer")
def transfer_projects_from_user_to_org(call: RequestContext) -> Answer:
    """From the user's own organization."""
    moving.check_personal(call.caller)
    source = call.neon.identity.home_of(call.caller)
    wanted = call.body(_TransferProjects)
    moving.move_all(call.neon, call.caller, source, wanted.destination_org_id, wanted.project_ids)
    return {}
