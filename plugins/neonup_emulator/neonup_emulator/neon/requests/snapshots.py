"""Bodies of requests about snapshots and their schedules."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from neonup_emulator.neon.requests.fields import Id, Moment, Name

Slug = Annotated[str, Meta(pattern=r"\A[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")]
"""A snapshot's slug, as `createSnapshot` of @neon/sdk 6.1.2 and the official command have it."""


class NewSnapshot(Struct):
    """What some clients send to `createSnapshot`, whose parameters are in the query."""

    name: Name | None = None
    slug: Slug | None = None
    timestamp: Moment | None = None
    lsn: str | None = None
    expires_at: Moment | None = None


class RestoreSnapshot(Struct):
    """Body of `restoreSnapshot`."""

    name: Name | None = None
    target_branch_id: Id | None = None
    finalize_restore: bool = False


class FinalizeRestore(Struct):
    """Body of `finalizeRestoreBranch`: what the branch that is replaced is called."""

    name: Name | None = None


class SnapshotChanges(Struct):
    """What changes of a snapshot."""

    name: Name | UnsetType = UNSET
    expires_at: Moment | UnsetType | None = UNSET


class UpdateSnapshot(Struct):
    """Body of `updateSnapshot`."""

    snapshot: SnapshotChanges


class Schedule(Struct, omit_defaults=True):
    """When snapshots are created."""

    frequency: Literal["hourly", "daily", "weekly", "monthly", "yearly"]
    hour: Annotated[int, Meta(ge=0, le=23)] | UnsetType = UNSET
    day: Annotated[int, Meta(ge=1, le=31)] | UnsetType = UNSET
    month: Annotated[int, Meta(ge=1, le=12)] | UnsetType = UNSET
    retention_seconds: Annotated[int, Meta(ge=3600)] | UnsetType = UNSET


class BackupSchedule(Struct):
    """Body of `setSnapshotSchedule`."""

    schedule: list[Schedule]
