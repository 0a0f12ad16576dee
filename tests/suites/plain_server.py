"""A Postgres of initdb's defaults, as a service in CI or on a developer's machine is one."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from neonup_local.engine import account as accounts
from neonup_local.engine import program
from neonup_local.engine.binaries import Engine
from tests.postgres import free_port
from tests.waiting import wait_until

_USER = "suites"


@dataclass(frozen=True)
class PlainServer:
    """A running server, whose superuser makes the databases.

    Args:
        port: on 127.0.0.1.
        password: the superuser's.
    """

    port: int
    password: str

    @property
    def server_url(self) -> str:
        """Its URL without a database."""
        return f"postgresql://{_USER}:{self.password}@127.0.0.1:{self.port}"

    def create_database(self, schema: str) -> str:
        """Create an empty database with what the statements make; its URL."""
        name = f"suite_{secrets.token_hex(4)}"
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        if schema:
            with self.connect(name) as connection:
                connection.execute(schema.encode())
        return f"{self.server_url}/{name}"

    def connect(self, database: str) -> psycopg.Connection:
        """The superuser's connection, in autocommit mode."""
        return psycopg.connect(f"{self.server_url}/{database}", autocommit=True)


@contextmanager
def plain_server(engine: Engine, folder: Path) -> Iterator[PlainServer]:
    """Make a server in a folder, and end it after the block."""
    account = accounts.for_new_data()
    folder.mkdir(mode=0o700)
    account.own(folder)
    data, password = folder / "data", secrets.token_hex(8)
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    account.own(secret)
    program.run(
        [
            engine.program("initdb"),
            f"--pgdata={data}",
            *(f"--username={_USER}", "--auth=scram-sha-256", f"--pwfile={secret}"),
            *("--encoding=UTF8", "--locale=C.UTF-8"),
        ],
        account,
        what="initdb",
    )
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                engine.program("postgres"),
                "-D",
                data,
                "-k",
                "",
                "-p",
                str(port),
                "-c",
                "max_prepared_transactions=10",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=program.environment(),
            **account.popen(),
        )
    server = PlainServer(port, password)
    try:
        wait_until(lambda: _answers(server), "the plain Postgres")
        # Whoever connects without naming a database is given the one that is called as the role.
        server.connect("postgres").execute(f"CREATE DATABASE {_USER}".encode())
        yield server
    finally:
        process.terminate()
        process.wait(60)


def _answers(server: PlainServer) -> bool:
    try:
        server.connect("postgres").close()
    except psycopg.OperationalError:
        return False
    return True
