"""Projects of the local Neon: how soon they are there, and what many cost."""

from __future__ import annotations

import functools
import shutil
import statistics
import threading
import time

import httpx

from bench import embedded, footprint
from bench.figures import Case, Pair
from bench.local_neon.server import MIB, POOL_SECONDS, Server, select, serving, url_of
from bench.neon_client import stub
from bench.timing import in_turns, milliseconds

_MANY = 200
_RUNNING = 10
_AT_ONCE = 20


def prepared(repeats: int) -> Pair:
    """Creating a project whose data directory was prepared beforehand."""
    ours, _, copies = _created(repeats)
    return ours, copies


def not_prepared(repeats: int) -> Pair:
    """Creating one more than were prepared, whose data is copied when it is needed."""
    _, ours, copies = _created(repeats)
    return ours, copies


@functools.cache
def _created(repeats: int) -> tuple[float, float, float]:
    """The medians of both, and of a copy of such a directory."""
    pooled, later, copies = [], [], []
    with serving() as server:
        select(url_of(server.project()))
        folder = server.cluster()
        for number in range(repeats):
            time.sleep(POOL_SECONDS)
            pooled += [milliseconds(server.project) for _ in range(3)]
            later.append(milliseconds(server.project))
            copy = server.home.path / f"copy-{number}"
            copies.append(milliseconds(lambda copy=copy: shutil.copytree(folder, copy)))  # type: ignore[misc]
    return statistics.median(pooled), statistics.median(later), statistics.median(copies)


def memory(repeats: int) -> Pair:
    """The server's own memory with many projects of which some run, and with one that does."""
    return _with_many()[0]


def listing(repeats: int) -> Pair:
    """Listing them, beside a stub that has the answer's text at hand."""
    return _with_many()[1]


@functools.cache
def _with_many() -> tuple[Pair, Pair]:
    with serving() as server:
        select(url_of(server.project()))
        alone = _own_memory(server)
        created = [server.project() for _ in range(_MANY - 1)]
        for one in created[: _RUNNING - 1]:
            select(url_of(one))
        with stub() as base, httpx.Client(timeout=60) as client:
            query = {"limit": _MANY}
            times = in_turns(
                lambda: milliseconds(lambda: server.ask("GET", "/projects", limit=_MANY)),
                lambda: milliseconds(lambda: client.get(f"{base}/projects", params=query).json()),
                10,
            )
        return (_own_memory(server), alone), times


def _own_memory(server: Server) -> float:
    return float(server.process.memory_full_info().uss / MIB)


def claimable(repeats: int) -> Pair:
    """Databases of neon.new, asked for by many clients at once: created beforehand, and not."""
    pooled, plain = [], []
    for _ in range(min(repeats, 3)):
        with serving() as server:
            url = str(server.client.base_url.join("/api/v1/database"))
            plain.append(_asked_for(url))
            time.sleep(2 * POOL_SECONDS)
            pooled.append(_asked_for(url))
    return statistics.median(pooled), statistics.median(plain)


def _asked_for(url: str) -> float:
    """The median time of many requests by clients at once; each has a database of its own."""
    times: list[float] = []
    found: set[str] = set()

    def ask() -> None:
        with httpx.Client(timeout=120) as client:
            for _ in range(_MANY // _AT_ONCE):
                begin = time.perf_counter()
                answer = client.post(url, json={"ref": "bench"}).raise_for_status()
                times.append((time.perf_counter() - begin) * 1000)
                found.add(answer.json()["connection_string"])

    threads = [threading.Thread(target=ask) for _ in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) != _MANY:
        raise RuntimeError(f"{_MANY} requests had {len(found)} databases")
    return statistics.median(times)


def sleeping(repeats: int) -> Pair:
    """The disk of a suspended project, and of a Postgres with initdb's defaults."""
    with serving() as server, embedded.default_servers(1) as [(data, _)]:
        created = server.project()
        select(url_of(created))
        server.suspend(created)
        return footprint.disk(server.cluster()), footprint.disk(data)


def idle_cpu(repeats: int) -> Pair:
    """The CPU of an idle local Neon with one project, and of that project's own idle server."""
    with serving() as server:
        created = server.project()
        select(url_of(created))
        time.sleep(POOL_SECONDS)
        postmaster = next(
            process for process in server.home.processes() if process.cmdline()[1:2] == ["-D"]
        )
        both = [server.process, *server.process.children()], [postmaster, *postmaster.children()]
        before = [footprint.cpu(*processes) for processes in both]
        time.sleep(10)
        ours, theirs = (
            (footprint.cpu(*processes) - spent) / 10 * 100
            for processes, spent in zip(both, before, strict=True)
        )
        return ours, max(theirs, 0.1)  # it is counted in hundredths of a second


CASES = (
    Case(
        "neon-project", "a project, prepared beforehand", "a copy of its directory",
        "ms", 0.25, prepared,
    ),
    Case(
        "neon-project-more", "one more than were prepared", "a copy of its directory",
        "ms", 0.5, not_prepared,
    ),
    Case(
        "neon-many", f"own memory, {_MANY} projects of which {_RUNNING} run", "with one project",
        "MiB", 1.25, memory,
    ),
    Case(
        "neon-many-list", f"listing {_MANY} projects", "a stub that has the text of its answer",
        "ms", 5.0, listing,
    ),
    Case(
        "neon-claimable", f"a database of neon.new, {_MANY} asked for by {_AT_ONCE} at once",
        "none created beforehand", "ms", 0.5, claimable,
    ),
    Case(
        "neon-sleeping", "disk of a suspended project", "Postgres 18 with initdb's defaults",
        "MiB", 1.0, sleeping,
    ),
    Case(
        "neon-idle", "CPU of an idle local Neon", "its one project's idle Postgres",
        "%", None, idle_cpu,
    ),
)  # fmt: skip
