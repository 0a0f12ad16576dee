"""A real pgbouncer in transaction mode in front of a database, as Neon's pooler is."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.postgres import as_user, free_port
from tests.waiting import PATIENCE

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
MISSING = "no pgbouncer: apt-get install pgbouncer"


@dataclass(frozen=True)
class Pooler:
    """Where it is.

    `url` goes through it by address. `neon_url` does by a name that ends in ``-pooler``, as Neon's
    do; without that ending the same name leads past it. `connections` are those that all clients
    share.
    """

    url: str
    neon_url: str
    connections: int


@contextmanager
def pooling(url: str, *, connections: int = 2) -> Iterator[Pooler]:
    """Run a pgbouncer in front of a database without TLS until the end of the block."""
    base = Path(tempfile.mkdtemp(prefix="pgb-"))
    base.chmod(0o755)
    try:
        yield from _pooling(base, url, connections)
    finally:
        shutil.rmtree(base)


def _pooling(base: Path, url: str, connections: int) -> Iterator[Pooler]:
    to = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    port = free_port()
    past, through = base / "ep-1", base / "ep-1-pooler"
    past.mkdir()
    through.mkdir()
    through.chmod(0o777)
    with psycopg.connect(url) as connection:
        shown = connection.execute("SHOW unix_socket_directories").fetchone()
    assert shown is not None and shown[0], "the server has no Unix socket"
    (past / f".s.PGSQL.{port}").symlink_to(Path(shown[0].strip('"')) / f".s.PGSQL.{to['port']}")
    (base / "users.txt").write_text(f'"{to["user"]}" "{to["password"]}"\n')
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": through,
        "auth_type": "scram-sha-256",
        "auth_file": base / "users.txt",
        "pool_mode": "transaction",
        "default_pool_size": connections,
        "max_client_conn": 500,
        "server_round_robin": 1,  # the next transaction is on another connection
    }
    if _version() >= (1, 21):
        settings["max_prepared_statements"] = 0  # as strict as older ones
    lines = [f"{name} = {value}" for name, value in settings.items()]
    server = f"* = host={to['host']} port={to['port']}"
    config = base / "pgbouncer.ini"
    config.write_text("\n".join(["[databases]", server, "[pgbouncer]", *lines, ""]))
    with (base / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(PROGRAM), str(config)], stdout=log, stderr=log, cwd="/", **as_user()
        )
    account = f"{quote(to['user'], safe='')}:{quote(to['password'], safe='')}"
    pooled = f"postgresql://{account}@127.0.0.1:{port}/{to['dbname']}"
    named = f"postgresql://{account}@{quote(str(through), safe='')}:{port}/{to['dbname']}"
    try:
        _wait(pooled, process, base / "log")
        yield Pooler(pooled, named, connections)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _version() -> tuple[int, int]:
    said = subprocess.run([str(PROGRAM), "--version"], capture_output=True, text=True, check=True)
    match = re.search(r"(\d+)\.(\d+)", said.stdout)
    assert match is not None
    return int(match[1]), int(match[2])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.02)
