"""Restores, snapshots and schemas: what a branch's history is used for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from neonup_emulator.api.v2 import serializers
from neonup_emulator.api.v2.branches import branch_of
from neonup_emulator.api.v2.operations import Answer, RequestContext, operation
from neonup_emulator.neon import branches, schedules, schemas, snapshots
from neonup_emulator.neon.changes import (
    branch_restoration,
    replacement,
    snapshot_creation,
    snapshot_restoration,
)
from neonup_emulator.neon.errors import Refused
from neonup_emulator.neon.model import Snapshot
from neonup_emulator.neon.requests.branches import RestoreBranch
from neonup_emulator.neon.requests.snapshots import (
    BackupSchedule,
    FinalizeRestore,
    NewSnapshot,
    RestoreSnapshot,
    Slug,
    UpdateSnapshot,
)

_BRANCH = "/projects/{project_id}/branches/{branch_id}"
_SNAPSHOTS = "/projects/{project_id}/snapshots"
_SNAPSHOT = f"{_SNAPSHOTS}/{{snapshot_id}}"
_LONGEST_NAME = 256

Schema = TypeVar("Schema")


@operation("restoreProjectBranch", f"POST {_BRANCH}/restore")
def restore_project_branch(call: RequestContext) -> Answer:
    wanted = call.body(RestoreBranch)
    branch, operations = branch_restoration.restore(
        call.neon, call.project(), branch_of(call), wanted
    )
    return {"branch": serializers.branch(branch), **serializers.operations(operations)}


@operation("finalizeRestoreBranch", f"POST {_BRANCH}/finalize_restore")
def finalize_restore_branch(call: RequestContext) -> Answer:
    name = call.body(FinalizeRestore).name
    done = replacement.finalize(call.neon, call.project(), branch_of(call), name)
    return serializers.operations(done)


@operation("createSnapshot", f"POST {_BRANCH}/snapshot")
def create_snapshot(call: RequestContext) -> Answer:
    """Of root branches, as many as the plan allows; 409 where another one has that `slug`."""
    wanted = call.body(NewSnapshot)
    name = call.query.get("name") or wanted.name
    if name and len(name) > _LONGEST_NAME:
        raise Refused(f"invalid parameter name: it is longer than {_LONGEST_NAME} characters")
    snapshot, operations = snapshot_creation.create(
        call.neon,
        call.project(),
        branch_of(call),
        name=name,
        slug=call.text("slug", Slug) or wanted.slug,
        time=call.moment("timestamp") or wanted.timestamp,
        lsn=call.query.get("lsn") or wanted.lsn,
        expires_at=call.moment("expires_at") or wanted.expires_at,
    )
    return {"snapshot": serializers.snapshot(snapshot), **serializers.operations(operations)}


@operation("listSnapshots", f"GET {_SNAPSHOTS}")
def list_snapshots(call: RequestContext) -> Answer:
    listed = snapshots.all_of(call.neon, call.project())
    return {"snapshots": [serializers.snapshot(snapshot) for snapshot in listed]}


@operation("updateSnapshot", f"PATCH {_SNAPSHOT}")
def update_snapshot(call: RequestContext) -> Answer:
    changes = call.body(UpdateSnapshot).snapshot
    changed = snapshots.update(call.neon, call.project(), _find(call), changes)
    return {"snapshot": serializers.snapshot(changed)}


@operation("deleteSnapshot", f"DELETE {_SNAPSHOT}", status=202)
def delete_snapshot(call: RequestContext) -> Answer:
    return serializers.operations(snapshots.delete(call.neon, call.project(), _find(call)))


@operation("restoreSnapshot", f"POST {_SNAPSHOT}/restore")
def restore_snapshot(call: RequestContext) -> Answer:
    branch, endpoints, operations = snapshot_restoration.restore(
        call.neon, call.project(), _find(call), call.body(RestoreSnapshot)
    )
    return {
        "branch": serializers.branch(branch),
        "endpoints": [serializers.endpoint(call.neon, endpoint) for endpoint in endpoints],
        **serializers.operations(operations),
    }


def _find(call: RequestContext) -> Snapshot:
    """The snapshot that the address names by its id, which is all that Neon's document takes:
    clients such as the official command look for names and slugs in the list."""
    return snapshots.find(call.neon, call.project(), call.path["snapshot_id"])


@operation("getSnapshotSchedule", f"GET {_BRANCH}/backup_schedule")
def get_snapshot_schedule(call: RequestContext) -> Answer:
    return {"schedule": branch_of(call).backup_schedule}


@operation("setSnapshotSchedule", f"PUT {_BRANCH}/backup_schedule")
def set_snapshot_schedule(call: RequestContext) -> Answer:
    """Hours are those of UTC; day 1 of a week is Monday; an empty list ends it."""
    schedules.set_schedule(call.neon, call.project(), branch_of(call), call.body(BackupSchedule))
    return {}


@operation("getProjectBranchSchema", f"GET {_BRANCH}/schema")
def get_project_branch_schema(call: RequestContext) -> Answer:
    shown = call.choice("format", ("sql", "json"), "sql")
    if shown == "sql":
        return {"sql": _schema(call, call.path["branch_id"], schemas.sql)}
    return {"json": {"tables": _schema(call, call.path["branch_id"], schemas.tables)}}


@operation("getProjectBranchSchemaComparison", f"GET {_BRANCH}/compare_schema")
def get_project_branch_schema_comparison(call: RequestContext) -> Answer:
    own, branch = call.path["branch_id"], branch_of(call)
    base = call.query.get("base_branch_id") or branch.parent_id or own
    names = (f"a/{call.query.get('db_name')}", f"b/{call.query.get('db_name')}")
    old = _schema(call, base, schemas.sql, prefix="base_")
    return {"diff": schemas.difference(old, _schema(call, own, schemas.sql), names)}


def _schema(
    call: RequestContext, branch_id: str, read: Callable[..., Schema], *, prefix: str = ""
) -> Schema:
    database = call.query.get("db_name")
    if not database:
        raise Refused("the parameter db_name is missing")
    project = call.project()
    return read(
        call.neon,
        project,
        branches.find(call.neon, project, branch_id),
        database,
        time=call.moment(f"{prefix}timestamp"),
        lsn=call.query.get(f"{prefix}lsn"),
    )
