"""A user's first project: created once, however many ask for it at the same moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neonup.plugin.http import Call, Pause

from neonup_cloud.api.errors import AnswerLost, NeonError, NotFound, UnusableAnswer
from neonup_cloud.fleets.naming import Label
from neonup_cloud.fleets.register import Register, UserProject, age
from neonup_cloud.fleets.tiers import Tier

LOOKS = (0.0, 0.5, 1.5)
"""Seconds before each look for a project whose creation was not answered."""


@dataclass(frozen=True)
class Layout:
    """What every new project of a fleet has.

    Args:
        region_id: where, e.g. ``aws-us-east-2``; Neon's choice if None.
        pg_version: Postgres's major version; Neon's choice if None.
        database: its database's name.
        role: the role that owns it, and connects.
    """

    region_id: str | None = None
    pg_version: int | None = None
    database: str = "neondb"
    role: str = "neondb_owner"


def create(register: Register, layout: Layout, user: str, tier: Tier) -> Call[UserProject]:
    """The project of a user who has none.

    One request creates it with everything that its tier says, so it is never there in part. Then
    all who raced for it look, and settle on the oldest; each deletes no project but its own.
    That is right as long as Neon lists a project before it has prepared one that was asked for
    later: operations are awaited before the look.

    Raises:
        NeonError: Neon refused, or did not answer. A second call looks first.
    """
    neon, label = register.neon, Label(register.naming.key(user), tier.name)
    try:
        made = yield from neon.projects.create(
            name=register.naming.name(label),
            org_id=tier.org_id,
            region_id=layout.region_id,
            pg_version=layout.pg_version,
            branch={"database_name": layout.database, "role_name": layout.role},
            **tier.project,
        )
    except (AnswerLost, UnusableAnswer) as lost:
        return (yield from _look(register, user, lost))
    yield from neon.operations.wait(made.operations)
    mine = UserProject(
        made.project.id, label, made.project.org_id, made.project.created_at, created=True
    )
    found = yield from register.of(user)
    oldest = min([mine, *(one for one in found if one.project_id != mine.project_id)], key=age)
    if oldest is not mine:
        yield from _delete(register, mine)
    return oldest


def _look(register: Register, user: str, lost: NeonError) -> Call[UserProject]:
    """The project that a creation may have made whose answer was lost.

    Where others raced for it, this one settles on the oldest as they do. Its own cannot be told
    from theirs, so a younger one stays until `Fleet.sweep`.
    """
    for seconds in LOOKS:
        if seconds:
            yield Pause(seconds)
        found = yield from register.of(user)
        if found:
            return replace(found[0], created=True)
    raise lost


def _delete(register: Register, mine: UserProject) -> Call[None]:
    try:
        yield from register.neon.projects.delete(mine.project_id)
    except NotFound:
        return  # somebody has swept it
