"""What tests' databases are measured beside: Postgres's own copies of a template."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from bench import pytest_projects, world
from bench.timing import milliseconds
from bench.world import Home
from neonup_local.engine import admin, template
from neonup_local.test_server import EphemeralServer, choose_engine, location, reserve_port

_COPIES = 50


@dataclass(frozen=True)
class BareServer:
    """A server with the settings of those that tests get, and with their template.

    Args:
        port: its port on 127.0.0.1.
        password: the superuser's.
    """

    port: int
    password: str

    def connect(self, database: str) -> psycopg.Connection:
        """The superuser's connection, in autocommit mode."""
        variables = admin.connection(self.port, self.password, database=database)
        return psycopg.connect(
            host=variables["PGHOST"],
            port=self.port,
            user=template.ADMIN,
            password=self.password,
            dbname=database,
            autocommit=True,
        )

    def copy(self) -> float:
        """The median of milliseconds in which a database is created and dropped, unused."""
        return self._median("")

    def copy_with_a_test(self) -> float:
        """The same with a connection between, and what the tests do that are timed."""
        return self._median("INSERT INTO t1 (name, number) VALUES ('new', 1)")

    def _median(self, statement: str) -> float:
        with self.connect("postgres") as connection:

            def once() -> None:
                connection.execute("CREATE DATABASE copy TEMPLATE ready")
                if statement:
                    with self.connect("copy") as inside:
                        inside.execute(statement.encode())
                        inside.execute("SELECT count(*) FROM t1")
                connection.execute("DROP DATABASE copy")

            once()
            return statistics.median(milliseconds(once) for _ in range(_COPIES))


@contextmanager
def bare_server(home: Home) -> Iterator[BareServer]:
    """A running one, in memory where the tests' are."""
    with world.folder("nu-bare-", location.choose(home.path)) as folder:
        port, reservation = reserve_port()
        server = EphemeralServer(home.path, folder, port, choose_engine(home.path))
        try:
            server.make(None)
            server.start()
            bare = BareServer(port, template.admin_password(home.path))
            with bare.connect("postgres") as connection:
                connection.execute("CREATE DATABASE ready")
            with bare.connect("ready") as connection:
                connection.execute(pytest_projects.SCHEMA.encode())
            yield bare
        finally:
            server.stop(cleanly=False)
            if reservation is not None:
                reservation.close()
