"""A user's first project: created once, also by several processes at the same moment."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from neonup.plugin.http import Call
from neonup_cloud.api.answers import CreatedProject
from neonup_cloud.api.errors import NotFound
from neonup_cloud.api.idempotent_create import create_once
from neonup_cloud.fleets.naming import Label
from neonup_cloud.fleets.register import Register, UserProject, age
from neonup_cloud.fleets.tiers import Tier


@dataclass(frozen=True)
class Layout:
    """What every new project of a fleet gets.

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
    """Create the project of a user who has none.

    One request creates it with everything that its tier says, so it is never incomplete. Then
    all processes that raced for it look, and settle on the oldest; each deletes only its own.
    That is right as long as Neon lists a project before it has prepared one that was requested
    later: operations are awaited before the look.

    Where the answer is lost, the oldest project of the user is taken. Which of several is this
    call's own cannot be told then, so a younger one stays until `Fleet.sweep`.

    Raises:
        NeonError: Neon refused, or did not answer. A second call looks first.
    """
    neon, label = register.neon, Label(register.naming.key(user), tier.name)

    def request() -> Call[CreatedProject | UserProject]:
        return (
            yield from neon.projects.create(
                name=register.naming.name(label),
                org_id=tier.org_id,
                region_id=layout.region_id,
                pg_version=layout.pg_version,
                branch={"database_name": layout.database, "role_name": layout.role},
                **tier.project,
            )
        )

    def look() -> Call[CreatedProject | UserProject | None]:
        projects = yield from register.of(user)
        return replace(projects[0], created=True) if projects else None

    answer = yield from create_once(request, look, repeatable=False)
    if isinstance(answer, UserProject):
        return answer
    yield from neon.operations.wait(answer.operations)
    created = answer.project
    own = UserProject(created.id, label, created.org_id, created.created_at, created=True)
    return (yield from _settle_on_oldest(register, user, own))


def _settle_on_oldest(register: Register, user: str, own: UserProject) -> Call[UserProject]:
    projects = yield from register.of(user)
    others = [project for project in projects if project.project_id != own.project_id]
    oldest = min([own, *others], key=age)
    if oldest is not own:
        with contextlib.suppress(NotFound):  # a sweep has deleted it
            yield from register.neon.projects.delete(own.project_id)
    return oldest
