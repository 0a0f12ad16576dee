"""A process is killed at any step of a call: the same call, made again, ends as if it had not been.

A step is a request that changes something: it is carried out, and the child is killed while it
waits for the answer.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from neonup.plugin.http import Sender
from neonup_cloud import NeonClient
from neonup_cloud.api.answers import Project
from neonup_cloud.fleets import Fleet, Label, Lifecycle
from tests.cloud.fleets import children
from tests.cloud.fleets.children import USER
from tests.cloud.fleets.fleets import PRO, TIERS
from tests.cloud.relay import Relay, relaying
from tests.emulator.serving import NeonServer

STEPS = {"provision": 1, "change_tier": 3, "delete": 4, "delete_now": 5, "undelete": 4}
"""How many each call has."""
QUICK = {("provision", 1), ("change_tier", 2), ("delete", 1), ("delete_now", 5), ("undelete", 3)}
BEFORE = {
    "provision": (),
    "change_tier": ("provision",),
    "delete": ("provision",),
    "delete_now": ("provision",),
    "undelete": ("provision", "delete"),
}


def held_at(step: int) -> Callable[[str], str | None]:
    """The answer to that many-th change never comes."""
    changes = 0

    def meet(request: str) -> str | None:
        nonlocal changes
        changes += not request.startswith("GET")
        return "hold" if changes == step else None

    return meet


def kill_at(step: int, name: str, server: NeonServer, prefix: str) -> None:
    with relaying(server.base) as relay:
        relay.meet = held_at(step)
        child = children.start(server, relay.base, prefix, name)
        try:
            assert relay.held.wait(60), f"there is no step {step}: {relay.asked}"
        finally:
            child.kill()
            child.communicate()


@pytest.mark.parametrize(
    ("name", "step"),
    [
        pytest.param(name, step, marks=() if (name, step) in QUICK else pytest.mark.thorough)
        for name, steps in STEPS.items()
        for step in range(1, steps + 1)
    ],
)
def test_killed_and_called_again(
    name: str, step: int, neon_server_here: NeonServer, prefix: str
) -> None:
    server = neon_server_here
    with NeonClient(server.key, base_url=server.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        for one in BEFORE[name]:
            children.call(fleet, one)
        before = [one.project_id for one in fleet.projects()]
        kill_at(step, name, server, prefix)
        children.call(fleet, name)
        after = list(neon.projects.list(search=prefix))
        if name == "delete_now":
            assert after == []
            return
        [project] = after
        assert before in ([], [project.id])
        check(name, project, neon, fleet)


def check(name: str, project: Project, neon: NeonClient, fleet: Fleet[Sender]) -> None:
    """It is as the call says, in all its parts."""
    label = fleet.naming.read(project.name)
    assert isinstance(label, Label)
    assert not label.changing
    [endpoint] = neon.endpoints.list(project.id)
    snapshots = list(neon.snapshots.list(project.id))
    if name == "delete":
        assert (label.lifecycle, endpoint.disabled) == (Lifecycle.DELETING, True)
        assert len(snapshots) == 1
        return
    assert (label.user, label.lifecycle, endpoint.disabled) == (USER, Lifecycle.ACTIVE, False)
    assert snapshots == []
    if name == "change_tier":
        assert project.settings["quota"] == PRO.quota.as_dict()
        assert endpoint.autoscaling_limit_max_cu == PRO.max_cu


def test_every_step_is_tried(relay: Relay, neon_server_here: NeonServer, prefix: str) -> None:
    """Who adds a step to a call adds it here."""
    server = neon_server_here
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        for name, calls in BEFORE.items():
            if fleet.find(USER):
                fleet.delete(USER, snapshot=False)
            for one in calls:
                children.call(fleet, one)
            relay.asked.clear()
            children.call(fleet, name)
            changes = [one for one in relay.asked if not one.startswith("GET")]
            assert len(changes) == STEPS[name], (name, changes)


def test_two_processes_at_once(
    neon_server_here: NeonServer, owner: NeonClient, prefix: str
) -> None:
    server = neon_server_here
    processes = [children.start(server, server.base, prefix, "provision") for _ in range(2)]
    ids = {process.communicate(timeout=60)[0] for process in processes}
    assert len(ids) == 1
    assert {f"{one.id}\n" for one in owner.projects.list(search=prefix)} == ids
