"""A Postgres that lives for speed alone: nothing of it is forced to the disk."""

from __future__ import annotations

import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from neonup import Settings
from neonup_local.engine import account as accounts
from neonup_local.engine import admin, cluster, postmaster, program, template
from neonup_local.engine.binaries import Engine
from neonup_local.engine.choosing import NO_NEEDS, EngineNeeds
from neonup_local.engine.config import ServerOptions
from neonup_local.options import LocalOptions
from neonup_local.service import stock

_SPEED = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "1d",
    "autovacuum": "off",
    "bgwriter_lru_maxpages": "0",
    "shared_buffers": "32MB",  # restoring a database goes through all of them
    "synchronize_seqscans": "off",  # or a scan begins where one of an earlier test ended
    "dynamic_shared_memory_type": "mmap",  # its files go with the data; shared memory would stay
    "max_connections": "200",
    "max_prepared_transactions": "64",
    "log_disconnections": "off",
}
"""Against a power cut there is nothing to protect, and no database lives long enough to age."""

_LOGICAL = {"wal_level": "logical", "max_wal_senders": "10", "synchronous_commit": "on"}
"""For subscriptions and logical decoding, which see what was flushed; where a project asks for it.

https://www.postgresql.org/docs/current/logical-replication-config.html
"""


@dataclass(frozen=True)
class EphemeralServer:
    """A server in a folder of its own.

    Args:
        home: neonup's own folder, with engines and templates.
        folder: ``data/`` and ``log`` go there.
        port: its port on 127.0.0.1.
        engine: the programs.
        logical_replication: ``wal_level = logical``.
        superuser: whether the role that tests connect as is a superuser.
    """

    home: Path
    folder: Path
    port: int
    engine: Engine
    logical_replication: bool = False
    superuser: bool = False

    OWNER = template.OWNER
    """The role that tests connect as, as they would at Neon."""
    DATABASES = (template.DATABASE, template.OWNER)
    """What a server has beside Postgres's own: Neon's, and the one that libpq takes by itself."""

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def running(self) -> bool:
        """Whether it is up and answers."""
        server = postmaster.running(self.data)
        return server is not None and postmaster.answers(server.port)

    def make(self, source: Path | None) -> None:
        """Create the data directory again: a copy of a kept one, or of the engine's template.

        Raises:
            EngineError: it cannot be made, e.g. there is no room.
        """
        if self.data.exists():
            cluster.stop(self.data, immediately=True)
            shutil.rmtree(self.data)
        account = accounts.for_new_data()
        if source is None or not (source / "PG_VERSION").is_file():
            source = stock.prepare(self.home, self.engine, account)
        template.copy(source, self.data, account)

    def start(self) -> None:
        """Start it and return once it answers.

        Raises:
            PortTaken: another process has the port.
            EngineError: it did not start; shows its own last lines.
        """
        settings = {**_SPEED, **(_LOGICAL if self.logical_replication else {})}
        options = ServerOptions(self.port, self.logical_replication, settings=settings)
        cluster.start(self.engine, self.folder, None, options)

    def stop(self, *, cleanly: bool) -> None:
        """Stop it; cleanly where its data is needed afterwards.

        Raises:
            EngineError: it goes on running.
        """
        cluster.stop(self.data, immediately=not cleanly)

    def copy_to(self, target: Path) -> None:
        """Copy the data directory; the server must have been stopped cleanly.

        Raises:
            EngineError: it cannot be copied; the target is gone then.
        """
        template.copy(self.data, target, accounts.of_data(self.data))

    def passwords(self, owner: str, *, quick: bool = False) -> list[str]:
        """The statements that set the roles' passwords, and whether the owner is a superuser.

        They are run after each start.

        Args:
            owner: the owner's password.
            quick: whether it is hashed once and not 4096 times, which each client would do that
                connects; some drivers refuse that.
        """
        return [
            _set_password(template.ADMIN, template.admin_password(self.home), 1),
            _set_password(self.OWNER, owner, 1 if quick else template.ROUNDS),
            f"ALTER ROLE {self.OWNER} {'' if self.superuser else 'NO'}SUPERUSER",
        ]

    def last_lines(self) -> list[str]:
        """What it wrote last into its log."""
        try:
            text = (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return program.last_lines(text)

    def administrator(self) -> tuple[list[str], dict[str, str]]:
        """psql as the superuser: the command, and the variables that it needs."""
        connection = admin.connection(self.port, template.admin_password(self.home))
        return [str(self.engine.program("psql"))], program.environment(connection)


def _set_password(role: str, password: str, rounds: int) -> str:
    verifier = template.scram_verifier(password, rounds)
    return f"ALTER ROLE {role} PASSWORD '{verifier}'"


def reserve_port() -> tuple[int, socket.socket | None]:
    """A port that nobody else is given, as long as the socket is open, where there is one.

    A socket that is bound without listening keeps other programs from being given its port;
    Linux lets Postgres have it all the same, since both permit the address to be used again.
    """
    reservation = socket.socket()
    if sys.platform != "win32":
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    reservation.bind((postmaster.HOST, 0))
    port = int(reservation.getsockname()[1])
    held: socket.socket | None = reservation
    if sys.platform != "linux":
        reservation.close()
        held = None
    return port, held


def for_project(settings: Settings, folder: Path, port: int, needs: EngineNeeds) -> EphemeralServer:
    """A server with what a project's settings say of new databases; nothing is made yet.

    Args:
        settings: the project's.
        folder: see `EphemeralServer`, and so is ``port``.
        needs: what its engine has to have.

    Raises:
        EngineError: there is no engine.
    """
    options = LocalOptions.of(settings)
    engine = choose_engine(
        settings.home,
        pg_bin=settings.pg_bin,
        major=settings.postgres,
        name=options.engine,
        needs=needs,
    )
    logical = settings.logical_replication
    return EphemeralServer(settings.home, folder, port, engine, logical, options.superuser)


def choose_engine(
    home: Path,
    *,
    pg_bin: Path | None = None,
    major: int | None = None,
    name: str | None = None,
    needs: EngineNeeds = NO_NEEDS,
) -> Engine:
    """The engine for a test server, as for any new database.

    Raises:
        EngineError: there is none; says what was looked at.
    """
    return stock.choose_engine(home, pg_bin=pg_bin, major=major, name=name, needs=needs)
