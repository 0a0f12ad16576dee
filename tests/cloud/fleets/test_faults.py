"""The service refuses, fails or is cut off at each step: the state asked for comes all the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from threading import Lock

import pytest

from neonup_cloud import AsyncNeonClient, NeonClient
from neonup_cloud.api.errors import AnswerLost, NeonError
from neonup_cloud.fleets import Fleet, Lifecycle
from tests.cloud.fleets.fleets import FREE, PRO, TIERS
from tests.cloud.relay import FAULTS, Relay, first_time, relaying
from tests.emulator.serving import NeonServer
from tests.waiting import wait_until

TRIES = 3


async def life_of_a_user(server: NeonServer, prefix: str, fault: int | str) -> None:
    """A whole life, in which every request meets the fault once."""
    user = f"user-{fault}"
    with relaying(server.base) as relay:
        async with AsyncNeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
            fleet = Fleet(neon, TIERS, prefix=prefix)
            for step in (
                lambda: fleet.provision(user, "free"),
                lambda: fleet.change_tier(user, "pro"),
                lambda: fleet.delete(user, wait=timedelta(days=1)),
                lambda: fleet.undelete(user),
            ):
                relay.meet = first_time(fault)
                for left in reversed(range(TRIES)):
                    try:
                        await step()
                        break
                    except NeonError:
                        assert left, f"{fault}: {relay.asked[-1]}"
            relay.meet = lambda _: None
            [project] = [one for one in await fleet.projects() if one.user == user]
            assert (project.tier, project.lifecycle) == ("pro", Lifecycle.ACTIVE), fault
            assert not project.label.changing


def test_every_request_meets_a_fault_once(
    neon_server_here: NeonServer, owner: NeonClient, prefix: str
) -> None:
    async def all_faults() -> None:
        async with asyncio.TaskGroup() as group:
            for fault in FAULTS:
                group.create_task(life_of_a_user(neon_server_here, prefix, fault))

    asyncio.run(all_faults())
    projects = list(owner.projects.list(search=prefix))
    assert len(projects) == len(FAULTS)
    for one in projects:
        assert one.settings["quota"] == PRO.quota.as_dict()
        [endpoint] = owner.endpoints.list(one.id)
        assert (endpoint.autoscaling_limit_max_cu, endpoint.disabled) == (PRO.max_cu, False)


@pytest.mark.parametrize("lost", ["lose", "garble"])
def test_an_answer_that_is_lost_leads_to_a_look(
    relay: Relay, neon_server_here: NeonServer, prefix: str, lost: str
) -> None:
    server = neon_server_here
    getattr(relay, lost).append("POST */projects")
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        made = fleet.provision("anna", "free")
        assert made.created
        assert [one.project_id for one in fleet.projects()] == [made.project_id]


def test_what_was_not_created_is_not_said_to_be(
    relay: Relay, neon_server_here: NeonServer, prefix: str
) -> None:
    server = neon_server_here
    relay.meet = lambda request: 502 if request.startswith("POST") else None
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        with pytest.raises(AnswerLost):
            fleet.provision("anna", "free")
        relay.meet = lambda _: None
        assert fleet.projects() == []
        assert fleet.provision("anna", "free").created


def test_a_creation_that_comes_late_is_the_one_that_counts(
    relay: Relay, neon_server_here: NeonServer, prefix: str
) -> None:
    """Given up by a gateway, it is carried out when the second call creates one as well."""
    server = neon_server_here
    relay.late.append("POST */projects")
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        with pytest.raises(AnswerLost):
            fleet.provision("anna", "free")
        found = fleet.provision("anna", "free")
        assert not found.created
        assert [one.project_id for one in fleet.projects()] == [found.project_id]


def test_many_who_ask_at_once_get_one_project(
    neon_server_here: NeonServer, owner: NeonClient, prefix: str
) -> None:
    """Each has looked before any has created, so that all of them create one."""
    server, clients = neon_server_here, 6
    looked: Counter[str] = Counter()
    lock = Lock()

    def meet(request: str) -> None:
        with lock:
            looked[request.partition(" ")[0]] += 1
        if request.startswith("POST"):
            wait_until(lambda: looked["POST"] == clients, "the others")

    async def ask() -> set[str]:
        with relaying(server.base) as relay:
            relay.meet = meet
            async with AsyncNeonClient(
                server.key, base_url=relay.base, org_id=server.org_id
            ) as neon:
                fleet = Fleet(neon, TIERS, prefix=prefix)
                asked = [fleet.provision("anna", "free") for _ in range(clients)]
                return {one.project_id for one in await asyncio.gather(*asked)}

    ids = asyncio.run(ask())
    assert len(ids) == 1
    assert {one.id for one in owner.projects.list(search=prefix)} == ids
    assert looked["POST"] == clients


def test_a_change_that_was_cut_off_is_finished_by_whoever_comes(
    relay: Relay, neon_server_here: NeonServer, owner: NeonClient, prefix: str
) -> None:
    server = neon_server_here
    with NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon:
        fleet = Fleet(neon, TIERS, prefix=prefix)
        for finish in (lambda: fleet.provision("anna", "free"), fleet.sweep):
            fleet.provision("anna", "free")
            relay.meet = lambda request: (
                400 if "PATCH" in request and "endpoints" in request else None
            )
            wanted = PRO if fleet.projects()[0].tier == "free" else FREE
            with pytest.raises(NeonError):
                fleet.change_tier("anna", wanted.name)
            relay.meet = lambda _: None
            [half] = fleet.projects()
            assert (half.tier, half.label.changing) == (wanted.name, True)
            finish()
            [done] = fleet.projects()
            assert (done.tier, done.label.changing) == (wanted.name, False)
            [endpoint] = owner.endpoints.list(done.project_id)
            assert endpoint.autoscaling_limit_max_cu == wanted.max_cu


def test_two_changes_at_once_end_as_one_of_them(
    relay: Relay, neon_server_here: NeonServer, owner: NeonClient, prefix: str
) -> None:
    """Another process gives another tier between the two halves of a change."""
    server = neon_server_here
    with (
        NeonClient(server.key, base_url=relay.base, org_id=server.org_id) as neon,
        NeonClient(server.key, base_url=server.base, org_id=server.org_id) as other,
    ):
        fleet = Fleet(neon, TIERS, prefix=prefix)
        made = fleet.provision("anna", "free")
        meanwhile = Fleet(other, TIERS, prefix=prefix)
        relay.before["PATCH */endpoints/*"] = lambda: meanwhile.change_tier("anna", "free")
        fleet.change_tier("anna", "pro")
    [project] = owner.projects.list(search=prefix)
    tier = FREE if "/free" in project.name else PRO
    assert project.settings["quota"] == tier.quota.as_dict()
    [endpoint] = owner.endpoints.list(made.project_id)
    assert endpoint.autoscaling_limit_max_cu == tier.max_cu
