"""``neonup run --test``: a command with a database of its own, which is gone with it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from neonup import Database, NeonupError, Settings, urls
from neonup.plugin import provisioning
from neonup.plugin.postgres import PsqlSession, client_environment
from neonup.plugin.project import database_variables
from neonup_local import creation
from neonup_local.engine import postmaster, template
from neonup_local.test_server import EphemeralServer, Run, engine_needs, for_project, reserve_port

if sys.platform == "win32":
    _ENDING = [signal.SIGTERM]
else:
    _ENDING = [signal.SIGTERM, signal.SIGHUP]


def run(settings: Settings, command: Sequence[str]) -> int:
    """Run a command with a throwaway database; returns its exit status as a shell has it.

    Raises:
        NeonupError: the database could not be made, or the command cannot be run.
    """
    child = _Child()
    with _database(settings) as database:
        return child.run(command, client_environment(database.url, own=True))


class _Child:
    """The command, which gets the signals that this process is sent."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        for number in _ENDING:
            signal.signal(number, self._pass_on)

    def run(self, command: Sequence[str], environ: dict[str, str]) -> int:
        # At a terminal Ctrl-C reaches the command by itself; twice would end it in a hurry.
        on_interrupt = signal.SIG_IGN if sys.stdin.isatty() else self._pass_on
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._process = subprocess.Popen(command, env=environ)
            signal.signal(signal.SIGINT, on_interrupt)
            status = self._process.wait()
        except OSError as error:
            raise NeonupError(f"{command[0]} cannot be run: {error.strerror}.") from None
        finally:
            signal.signal(signal.SIGINT, before)
        return status if status >= 0 else 128 - status

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if self._process is None:  # while the database is made: what is there is removed
            sys.exit(128 + number)
        self._process.send_signal(number)


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    """A database with the project's schema, to which the variables of this process lead."""
    own = Run(settings.home, secrets.token_hex(6))
    own.join()
    port, reservation = reserve_port()
    try:
        with own.locked():
            folder = own.folder()
        server = for_project(settings, folder, port, engine_needs(settings))
        database = _started(server, settings)
        os.environ.update(database_variables(settings, database))
        provisioning.make_schema(settings, database)
        yield database
    finally:
        for number in (signal.SIGINT, *_ENDING):
            signal.signal(number, signal.SIG_IGN)  # until all is removed
        own.leave(lambda: None)
        if reservation is not None:
            reservation.close()


def _started(server: EphemeralServer, settings: Settings) -> Database:
    password = secrets.token_hex(12)
    server.make(None)
    server.start()
    session = PsqlSession(*server.administrator())
    try:
        session.run(*server.passwords(password))
    finally:
        session.close()
    creation.create_role_database(settings.home, server.engine, server.port)
    creation.run_privileged(settings.home, server.engine, server.port, settings.extensions)
    place = urls.PostgresUrl(
        ((postmaster.HOST, server.port),), server.OWNER, password, template.DATABASE
    )
    return Database(str(place), "local", key=settings.key).in_scheme(settings.url_scheme)
