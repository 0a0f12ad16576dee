"""Apply a label to a project's settings; resumable.

The name changes first, so that any process that finds an interrupted change can finish it. No
other record of the change is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from neonup.plugin.http import Call
from neonup_cloud.api.answers import Endpoint
from neonup_cloud.fleets.errors import FleetError
from neonup_cloud.fleets.naming import Label, Lifecycle
from neonup_cloud.fleets.register import Register, UserProject, labelled
from neonup_cloud.fleets.tiers import Tier

_ROUNDS = 10


def change(register: Register, project: UserProject, label: Label) -> Call[UserProject]:
    """Give a project the tier and the lifecycle state of a label.

    One request writes the label and the settings of the project together; its endpoints, which
    have settings of their own, follow, and the label is marked as settled.
    """
    wanted = replace(label, changing=True)
    yield from _write(register, project, wanted)
    return (yield from finish(register, labelled(project, wanted)))


def finish(register: Register, project: UserProject) -> Call[UserProject]:
    """Finish the change of a project whose label has the ``changing`` marker.

    Where another process changes the label meanwhile, the last label is applied. A project that
    is on its way to another organization is returned as it is: `neonup_cloud.agents` finishes that.

    Raises:
        FleetError: other processes keep changing it.
    """
    for _ in range(_ROUNDS):
        label = project.label
        if not label.changing or register.misplaced(project):
            return project
        yield from _settle_endpoints(register, project)
        answer = yield from register.neon.projects.get(project.project_id)
        now = register.read(answer)
        if now is None:
            raise FleetError(
                f"The project {project.project_id} was renamed to {answer.name!r} while it changed."
            )
        if now.label.settled == label.settled:
            yield from _write(register, project, label.settled)
            return labelled(project, label.settled)
        # The other's endpoints may have been changed back here just now.
        project = labelled(project, replace(now.label, changing=True))
    raise FleetError(
        f"Other processes keep changing the project {project.project_id}.",
        remedy="Change a user's project from one process at a time.",
    )


def drift(tier: Tier | None, lifecycle: Lifecycle, endpoint: Endpoint) -> dict[str, Any]:
    """The settings of an endpoint that differ from its tier and lifecycle, with the right values.

    Args:
        tier: None if the fleet has no such tier any more; then the settings stay.
    """
    wanted = dict(tier.compute if tier else {}) | {"disabled": lifecycle is not Lifecycle.ACTIVE}
    return {
        name: value
        for name, value in wanted.items()
        if value is not None and getattr(endpoint, name) != value
    }


def _settle_endpoints(register: Register, project: UserProject) -> Call[None]:
    tier, neon = register.tiers.get(project.tier), register.neon
    endpoints = yield from neon.endpoints.list(project.project_id)
    for endpoint in endpoints:
        settings = drift(tier, project.lifecycle, endpoint)
        if settings:
            changed = yield from neon.endpoints.update(project.project_id, endpoint.id, **settings)
            yield from neon.operations.wait(changed.operations)


def _write(register: Register, project: UserProject, label: Label) -> Call[None]:
    tier = register.tiers.get(label.tier)
    yield from register.neon.projects.update(
        project.project_id, name=register.naming.name(label), **(tier.project if tier else {})
    )
