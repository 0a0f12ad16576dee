"""Making a project as its name says. The name changes first, so that whoever comes upon a change
that was cut off can finish it: no record of it is needed anywhere else."""

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
    """Give a project a tier and a lifecycle state.

    One request writes the label and the settings of the project together; its endpoints, which
    have settings of their own, follow, and the label is marked as settled.
    """
    wanted = replace(label, changing=True)
    yield from _write(register, project, wanted)
    return (yield from finish(register, labelled(project, wanted)))


def finish(register: Register, project: UserProject) -> Call[UserProject]:
    """Bring a project to what its label says, if it is not there yet.

    Somebody may give it another label meanwhile: the last one is followed. One that is on its way
    to another organization stays as it is: `neonup_cloud.agents` finishes that.

    Raises:
        FleetError: others keep changing it.
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
        remedy="Let one process at a time change a user's project.",
    )


def drift(tier: Tier | None, lifecycle: Lifecycle, endpoint: Endpoint) -> dict[str, Any]:
    """The settings of an endpoint that are not as they should be, with what they should be.

    Args:
        tier: None where it is none of the fleet's any more: its settings stay.
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
    """The name and the settings of a label, in one request."""
    tier = register.tiers.get(label.tier)
    yield from register.neon.projects.update(
        project.project_id, name=register.naming.name(label), **(tier.project if tier else {})
    )
