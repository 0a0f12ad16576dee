"""The local Neon: projects, waking, the front, branches, restores, and what many projects cost."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from bench import footprint, world
from bench.figures import Figure, Measure
from bench.world import NEONUP

_MIB = 1 << 20
_PGBENCH_SECONDS = 5
_POOL_SECONDS = 5.0
"""After this the server has prepared its spares again."""


@dataclass
class Server:
    """A `neonup serve` in a home of its own, on the disk."""

    home: Path
    process: psutil.Process
    client: httpx.Client

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.client.request(method, path, json=body, params=query)
        answer.raise_for_status()
        return answer.json()

    def project(self) -> dict[str, Any]:
        """A new project."""
        created: dict[str, Any] = self.ask("POST", "/projects", {"project": {}})
        return created

    def suspend(self, project: dict[str, Any]) -> None:
        """Let its endpoint sleep."""
        endpoint = project["endpoints"][0]
        self.ask("POST", f"/projects/{endpoint['project_id']}/endpoints/{endpoint['id']}/suspend")

    def wait(self, path: str) -> None:
        """Until every operation of a project has ended."""
        while any(
            one["status"] == "running"
            for one in self.ask("GET", f"{path}/operations")["operations"]
        ):
            time.sleep(0.02)


@contextmanager
def serving() -> Iterator[Server]:
    """A running server; nothing of it is left."""
    with world.home() as home:
        process = subprocess.Popen(
            [NEONUP, "serve", "--json", "--port", "0"],
            env=home.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        env = json.loads(process.stdout.readline())["env"]
        try:
            headers = {"Authorization": f"Bearer {env['NEON_API_KEY']}"}
            with httpx.Client(
                base_url=env["NEON_API_HOST"], headers=headers, timeout=120
            ) as client:
                yield Server(home.path, psutil.Process(process.pid), client)
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()


def url_of(project: dict[str, Any]) -> str:
    """The URL of its first database."""
    return str(project["connection_uris"][0]["connection_uri"])


def milliseconds(do: Callable[[], object]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    do()
    return (time.perf_counter() - begin) * 1000


def project(repeats: int) -> Figure:
    """Creating a project with a prepared data directory, and one whose data is copied later."""
    pooled, plain = [], []
    with serving() as server:
        server.project()
        for _ in range(repeats):
            time.sleep(_POOL_SECONDS)
            pooled += [milliseconds(server.project) for _ in range(3)]
            plain.append(milliseconds(server.project))
    ours, theirs = statistics.median(pooled), statistics.median(plain)
    return Figure(
        "a project of the local Neon", "its data is copied later (target 250)",
        ours, theirs, "ms", Measure.OURS, 40,
    )  # fmt: skip


def wake(repeats: int) -> Figure:
    """Waking a suspended endpoint, to the first answer with TLS; and fifty clients at once."""
    times, bursts = [], []
    with serving() as server:
        created = server.project()
        url = url_of(created)
        _select(url)
        for _ in range(repeats * 2):
            server.suspend(created)
            times.append(milliseconds(lambda: _select(url)))
        for _ in range(repeats):
            server.suspend(created)
            bursts.append(milliseconds(lambda: _burst(url)))
    return Figure(
        "waking an endpoint, first answer", "50 clients at once, all answered",
        statistics.median(times), statistics.median(bursts), "ms", Measure.OURS, 60,
    )  # fmt: skip


def _select(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")


def _burst(url: str) -> None:
    failed: list[BaseException] = []

    def one() -> None:
        try:
            _select(url)
        except psycopg.Error as error:
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise RuntimeError(f"{len(failed)} of 50 clients failed: {failed[0]}")


def front(clients: int) -> Callable[[int], Figure]:
    """`pgbench -S` through the front, beside the server's own port."""

    def run(repeats: int) -> Figure:
        through, direct = [], []
        with serving() as server:
            created = server.project()
            url = url_of(created).partition("?")[0]
            password = created["roles"][0]["password"]
            _pgbench(url, "-i", "-q")
            port = _own_port(server)
            own = f"postgresql://neondb_owner:{password}@127.0.0.1:{port}/neondb"
            for _ in range(repeats):
                direct.append(_rate(own, clients))
                through.append(_rate(url, clients))
        ours, theirs = statistics.median(through), statistics.median(direct)
        return Figure(
            f"pgbench -S, {clients} clients, time a statement through the front", "direct",
            1000 / ours, 1000 / theirs, "ms", Measure.RATIO, 2.0,
        )  # fmt: skip

    return run


def _own_port(server: Server) -> int:
    [data] = (server.home / "neon" / "clusters").glob("*/data/postmaster.pid")
    return int(data.read_text().splitlines()[3])


def _pgbench(url: str, *arguments: str) -> str:
    program = next(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    done = subprocess.run(
        [program, *arguments, f"{url}?sslmode=disable"], capture_output=True, text=True, check=True
    )
    return done.stdout


def _rate(url: str, clients: int) -> float:
    said = _pgbench(
        url, "-S", "-M", "simple", "-n", "-c", str(clients), "-T", str(_PGBENCH_SECONDS)
    )
    line = next(line for line in said.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


def branch(repeats: int) -> Figure:
    """A branch of a running parent of 1 GiB, beside copying its directory.

    That has the log of its history as well, which a branch takes along, too.
    """
    ours, theirs = [], []
    with serving() as server:
        path = f"/projects/{_gibibyte(server)['project']['id']}"
        [folder] = (server.home / "neon" / "clusters").iterdir()
        for _ in range(min(repeats, 3)):
            copy = server.home / "copy"
            theirs.append(milliseconds(lambda copy=copy: _copy(folder, copy)))  # type: ignore[misc]
            shutil.rmtree(copy)
            ours.append(milliseconds(lambda: _branch(server, path)))
    return Figure(
        "a branch of a running parent of 1 GiB", "cp -a of its directory and log",
        statistics.median(ours), statistics.median(theirs), "ms", Measure.RATIO, 0.7,
    )  # fmt: skip


def stall(repeats: int) -> Figure:
    """How long a writer's commit waits at most while its 1 GiB is branched, and with no branch."""
    ours, theirs = [], []
    with serving() as server:
        created = _gibibyte(server)
        path = f"/projects/{created['project']['id']}"
        url = url_of(created)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE commits (n int)")
        for _ in range(min(repeats, 3)):
            theirs.append(_longest_commit(url, lambda: time.sleep(1)))
            ours.append(_longest_commit(url, lambda: _branch(server, path)))
    return Figure(
        "a commit's longest wait while 1 GiB is branched", "with no branch",
        statistics.median(ours), statistics.median(theirs), "ms", Measure.OURS, None,
    )  # fmt: skip


def _longest_commit(url: str, do: Callable[[], object]) -> float:
    """The longest of the commits that a writer makes, one after the other, while something is
    done."""
    times: list[float] = []
    done = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not done.is_set():
                times.append(
                    milliseconds(lambda: connection.execute("INSERT INTO commits VALUES (1)"))
                )

    writer = threading.Thread(target=write)
    writer.start()
    try:
        do()
    finally:
        done.set()
        writer.join()
    return max(times)


def _gibibyte(server: Server) -> dict[str, Any]:
    """A project of 1 GiB whose server runs."""
    created = server.project()
    with psycopg.connect(url_of(created), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE big AS SELECT g, repeat(md5(g::text), 16) AS t "
            "FROM generate_series(1, 1700000) g"
        )
        connection.execute("SELECT count(*) FROM big")
    return created


def _copy(folder: Path, target: Path) -> None:
    # It fails where the running server deletes a file that it has just listed.
    subprocess.run(["cp", "-a", folder, target], stderr=subprocess.DEVNULL, check=False)


def _branch(server: Server, path: str, **more: Any) -> None:
    server.ask("POST", f"{path}/branches", {"branch": more})
    server.wait(path)


def restore(repeats: int) -> Figure:
    """A branch from a moment after 42 MiB of log, to its first answer."""
    times = []
    with serving() as server:
        created = server.project()
        path = f"/projects/{created['project']['id']}"
        with psycopg.connect(url_of(created), autocommit=True) as connection:
            connection.execute("CREATE TABLE big (t text)")
            for _ in range(4):
                connection.execute(
                    "INSERT INTO big SELECT repeat(md5(g::text), 8) "
                    "FROM generate_series(1, 35000) g"
                )
            time.sleep(0.05)
            moment = datetime.now(UTC).isoformat()
            time.sleep(0.05)
            connection.execute("INSERT INTO big VALUES ('later')")
            row = connection.execute("SELECT pg_current_wal_lsn() - '0/600000'").fetchone()
        log = float(row[0]) / _MIB if row else 0.0
        times += [
            milliseconds(lambda: _branch(server, path, parent_timestamp=moment))
            for _ in range(repeats)
        ]
    return Figure(
        f"a branch from a moment, {log:.0f} MiB of log", "(target in ms)",
        statistics.median(times), 2000, "ms", Measure.OURS, 2000,
    )  # fmt: skip


def many(repeats: int) -> Figure:
    """The server's own memory with 200 projects of which 10 run, and listing them."""
    with serving() as server:
        created = [server.project() for _ in range(200)]
        for one in created[:10]:
            _select(url_of(one))
        listing = statistics.median(
            milliseconds(lambda: server.ask("GET", "/projects", limit=400)) for _ in range(10)
        )
        memory = server.process.memory_full_info().uss / _MIB
    return Figure(
        "memory with 200 projects, 10 running", "listing them, ms (target 50)",
        memory, listing, "MiB", Measure.OURS, 120,
    )  # fmt: skip


def claimable(repeats: int) -> Figure:
    """200 databases of neon.new, asked for by 20 clients at once: created beforehand, and not."""
    pooled, plain = [], []
    for _ in range(min(repeats, 3)):
        with serving() as server:
            url = str(server.client.base_url.join("/api/v1/database"))
            plain.append(_asked_for(url))
            time.sleep(2 * _POOL_SECONDS)
            pooled.append(_asked_for(url))
    return Figure(
        "a database of neon.new, 200 by 20 clients, median", "none created beforehand",
        statistics.median(pooled), statistics.median(plain), "ms", Measure.OURS, 40,
    )  # fmt: skip


def _asked_for(url: str) -> float:
    """The median time of 200 requests by 20 clients at once; each has a database of its own."""
    times: list[float] = []
    found: set[str] = set()

    def ask() -> None:
        with httpx.Client(timeout=120) as client:
            for _ in range(10):
                begin = time.perf_counter()
                answer = client.post(url, json={"ref": "bench"}).raise_for_status()
                times.append((time.perf_counter() - begin) * 1000)
                found.add(answer.json()["connection_string"])

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) != 200:
        raise RuntimeError(f"200 requests had {len(found)} databases")
    return statistics.median(times)


def sleeping(repeats: int) -> Figure:
    """The disk of a suspended project, and the CPU of an idle server."""
    with serving() as server:
        created = server.project()
        _select(url_of(created))
        server.suspend(created)
        [folder] = (server.home / "neon" / "clusters").iterdir()
        disk = footprint.disk(folder)
        time.sleep(_POOL_SECONDS)
        before = _cpu(server)
        time.sleep(10)
        spent = (_cpu(server) - before) / 10 * 100
    return Figure(
        "a suspended project's disk", "an idle server's CPU, %",
        disk, max(spent, 0.001), "MiB", Measure.OURS, 36,
    )  # fmt: skip


def _cpu(server: Server) -> float:
    """Seconds that the server and its front have used."""
    processes = [server.process, *server.process.children()]
    return sum(sum(process.cpu_times()[:2]) for process in processes)
