"""A project for each of 200 users, and a migration of all: what the client itself costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from threading import Lock
from typing import Any

import httpx
import psycopg

from bench.figures import Case, Pair
from bench.local_neon.server import Server, serving
from bench.timing import in_turns
from neonup_cloud import AsyncNeonClient, NeonClient
from neonup_cloud.fleets import Fleet, MigrationTarget, Quota, Tier

USERS = [f"user-{number}@example.com" for number in range(200)]
AT_ONCE = 20
TIERS = (Tier("free", Quota(active_time_seconds=36_000), min_cu=0.25, max_cu=1),)


def provision(repeats: int) -> Pair:
    """This process's CPU time, which the local Neon, another process, has no part in."""

    def cpu(run: Callable[[Server], Coroutine[Any, Any, None]]) -> float:
        with serving() as server:
            return _cpu_of(run(server))

    return in_turns(lambda: cpu(_provisioned), lambda: cpu(_plain), min(repeats, 3), warm=False)


def migrate(repeats: int) -> Pair:
    """How much of the concurrency is not used, in percent, and how much is, in migrations."""
    with serving() as server:
        asyncio.run(_provisioned(server))
        key, base = _where(server)
        busy, lock = [0.0], Lock()

        def work(target: MigrationTarget) -> None:
            begin = time.perf_counter()
            with psycopg.connect(target.url) as connection:
                connection.execute("CREATE TABLE things (n int)")
            with lock:
                busy[0] += time.perf_counter() - begin

        with NeonClient(key, base_url=base) as neon:
            begin = time.perf_counter()
            report = Fleet(neon, TIERS, prefix="bench").migrate(work, concurrency=AT_ONCE)
            wall = time.perf_counter() - begin
    if len(report.done) != len(USERS):
        raise RuntimeError(f"{len(report.failed)} migrations failed: {report.failed[:1]}")
    used = 100 * busy[0] / (wall * AT_ONCE)
    return 100 - used, used


def _cpu_of(run: Coroutine[Any, Any, None]) -> float:
    """Milliseconds of this process's CPU for each user."""
    begin = time.process_time()
    asyncio.run(run)
    return (time.process_time() - begin) * 1000 / len(USERS)


def _where(server: Server) -> tuple[str, str]:
    """The key and the base URL."""
    client = server.client
    key = client.headers["authorization"].removeprefix("Bearer ")
    return key, str(client.base_url).rstrip("/")


async def _provisioned(server: Server) -> None:
    key, base = _where(server)
    async with AsyncNeonClient(key, base_url=base) as neon:
        fleet = Fleet(neon, TIERS, prefix="bench")

        async def one(user: str) -> str:
            return (await fleet.provision(user, "free")).project_id

        found = await _at_once(one)
    if len(set(found)) != len(USERS):
        raise RuntimeError(f"{len(USERS)} users have {len(set(found))} projects")


async def _plain(server: Server) -> None:
    """A search, a creation and a search for each."""
    key, base = _where(server)
    settings = {"settings": {"quota": TIERS[0].quota.as_dict()}}
    async with httpx.AsyncClient(
        headers={"authorization": f"Bearer {key}"}, timeout=60, verify=False
    ) as client:

        async def one(user: str) -> str:
            url = f"{base}/projects"
            search: dict[str, str | int] = {"search": user, "limit": 400}
            (await client.get(url, params=search)).json()
            body = {"project": {"name": f"bench/{user}/free", **settings}}
            made = (await client.post(url, json=body)).json()
            (await client.get(url, params=search)).json()
            return str(made["project"]["id"])

        await _at_once(one)


async def _at_once(one: Callable[[str], Awaitable[str]]) -> list[str]:
    free = asyncio.Semaphore(AT_ONCE)

    async def limited(user: str) -> str:
        async with free:
            return await one(user)

    return await asyncio.gather(*(limited(user) for user in USERS))


CASES = (
    Case(
        "fleet-provision",
        f"own CPU of a project for each of {len(USERS)} users, {AT_ONCE} at a time",
        "httpx, the same requests, `json()`", "ms", 1.2, provision,
    ),
    Case(
        "fleet-migrate",
        f"migrating {len(USERS)} projects, {AT_ONCE} at a time: concurrency unused",
        "used", "%", 0.25, migrate,
    ),
)  # fmt: skip
