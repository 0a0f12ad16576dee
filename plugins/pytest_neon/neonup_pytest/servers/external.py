"""A server that somebody else runs: a CI service, one with PostGIS. Only our names are touched."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import replace

from neonup import USER, EngineError, Settings, SettingsError, psql, urls
from neonup.plugin.postgres import ServerLost
from neonup_pytest.databases import naming, statements
from neonup_pytest.servers.admin import Admin, identifier, literal

VARIABLE = "NEONUP_TEST_SERVER"

_CLASS = 0x6E656F6E
"""The first key of our advisory locks, beside the hash of what is locked."""
_WAITING = 8
_MOST_FAILED = 10
_FAILED_SECONDS = 8 * 3600
_TEMPLATE_SECONDS = 14 * 86400
_USED = re.compile(r"neonup: used at (\d+)")


class ExternalServer:
    """The server of ``NEONUP_TEST_SERVER``.

    Args:
        url: a role there that may create databases; the database in it is connected to, and
            nothing is written there.
        run: the run's id.
        settings: the project's.
    """

    provider = USER
    data = None
    """Its files are not ours to write to."""

    def __init__(self, url: str, run: str, settings: Settings):
        try:
            self._place = urls.parse(url)
        except SettingsError as error:
            raise SettingsError(f"{VARIABLE}: {error.message}", remedy=error.remedy) from None
        if not self._place.user:
            raise SettingsError(f"{VARIABLE} names no role.", remedy="postgresql://role:...@host/")
        self.owner = self._place.user
        self._run = run
        self._pg_bin = settings.pg_bin
        self._presence: Admin | None = None
        self._identity = ""
        self._made: set[str] = set()

    @property
    def identity(self) -> str:
        """Its version."""
        self.start()
        return self._identity

    def url(self, database: str) -> urls.PostgresUrl:
        """Where a database of it is or will be."""
        return replace(self._place, dbname=database)

    def start(self, *, sure: bool = False) -> None:
        """Connect, say that this run is alive, and remove what dead ones left.

        Raises:
            EngineError: it cannot be reached, or its role may not create databases.
        """
        if sure and self._presence is not None:
            self._presence.close()
            self._presence = None
        if self._presence is not None:
            return
        admin = self.connect()
        try:
            major = admin.value("SELECT current_setting('server_version_num')::int / 10000")
        except ServerLost as error:
            admin.close()
            raise EngineError(
                f"The server of {VARIABLE} cannot be reached.",
                checked=[urls.mask(str(self._place)), *error.checked],
                remedy="Start the server, or correct the variable.",
            ) from None
        may = admin.value(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        )
        if may != "t":
            admin.close()
            raise SettingsError(
                f"The role {self.owner!r} of {VARIABLE} may not create databases.",
                remedy=f'ALTER ROLE "{self.owner}" CREATEDB;',
            )
        self._identity = f"given-{major}"
        admin.run(f"SELECT pg_advisory_lock_shared({_key(self._run)})")
        self._presence = admin
        self._sweep(admin)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold what one process at a time may do, on whatever machine it runs."""
        admin = self.connect()
        try:
            admin.run(
                "SET lock_timeout = 0",  # another process may migrate for minutes
                "SET statement_timeout = 0",
                f"SELECT pg_advisory_lock({_key('template')})",
            )
            yield
        finally:
            admin.close()

    def connect(self) -> Admin:
        """A connection as the role of the URL."""
        maintenance = replace(self._place, dbname=self._place.dbname or "postgres")
        return Admin(*psql.psql_command(str(maintenance), self._pg_bin))

    def allowance(self, size: int) -> int:
        """A few: nobody knows how much room there is."""
        return _WAITING if size < 16 << 20 else 0

    def made_here(self, template: str) -> bool:
        """Whether a process of this run has made a template."""
        return template in self._made

    def used(self, template: str) -> None:
        """A template that was there is used: it stays for another while."""
        self._mark(template)

    def saved(self, template: str) -> None:
        """It is on the server already."""
        self._made.add(template)
        self._mark(template)

    def keep(self, database: str, test: str, error: str | None) -> None:
        """Say when, for the sweeping of later runs."""
        self._mark(database)

    def _mark(self, name: str) -> None:
        if self._presence is not None:
            _mark_used(self._presence, name)

    def last_lines(self) -> list[str]:
        """Its log is not ours to read."""
        return []

    def leave(self) -> None:
        """Drop this run's databases, where no other process of it is there."""
        admin, self._presence = self._presence, None
        if admin is None:
            return
        try:
            admin.run(f"SELECT pg_advisory_unlock_shared({_key(self._run)})")
            self._drop_dead(admin, {self._run})
        finally:
            admin.close()

    def _sweep(self, admin: Admin) -> None:
        databases = naming.by_run(statements.names(admin))
        self._drop_dead(admin, {*databases} - {self._run})
        of_failed_tests = naming.of_failed_tests(statements.names(admin))
        statements.drop_all(admin, of_failed_tests[:-_MOST_FAILED])
        for name in of_failed_tests[-_MOST_FAILED:]:
            self._drop_old(admin, name, _FAILED_SECONDS)
        for name in statements.names(admin, naming.TEMPLATE):
            self._drop_old(admin, name, _TEMPLATE_SECONDS)

    def _drop_dead(self, admin: Admin, ids: set[str]) -> None:
        databases = naming.by_run(statements.names(admin))
        for run in ids & {*databases}:
            if admin.value(f"SELECT pg_try_advisory_lock({_key(run)})") != "t":
                continue  # it lives
            statements.drop_all(admin, databases[run])  # what cannot be dropped is tried next time
            admin.run(f"SELECT pg_advisory_unlock({_key(run)})")

    def _drop_old(self, admin: Admin, name: str, seconds: int) -> None:
        comment = admin.value(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
            f"WHERE datname = {literal(name)}"
        )
        used = _USED.search(comment)
        if used and time.time() - int(used[1]) > seconds:
            statements.drop_all(admin, [name])


def _mark_used(admin: Admin, name: str) -> None:
    text = literal(f"neonup: used at {int(time.time())}")
    admin.run(f"COMMENT ON DATABASE {identifier(name)} IS {text}")


def _key(what: str) -> str:
    return f"{_CLASS}, hashtext({literal(what)})"
