"""What one run of ``neonup studio`` is for: a project, and what may be done in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from neonup import Database, NeonupError, Settings, Versions, destination
from neonup.plugin.project import Start, check_enabled, check_owner, find_database, versions_of
from neonup_studio.copies import Copies
from neonup_studio.data.description import KnownRelations
from neonup_studio.history import StatementHistory
from neonup_studio.server.access import StudioAccess
from neonup_studio.server.connections import SpareConnections
from neonup_studio.server.idle import Idle
from neonup_studio.server.running_queries import RunningQueries

MAIN = "db"
"""The part of an address that means the project's database."""


class Studio:
    """A project's studio; its pages reach it as ``visit.studio``.

    Args:
        start: finds the project's database, and wakes it.
        read_only: whether nothing may be changed.
        allow_remote: whether a database that neonup did not create may be changed on another
            machine.
        idle: without a request for so long, it ends.
    """

    def __init__(self, start: Start, *, read_only: bool, allow_remote: bool, idle: timedelta):
        self.start = start
        self.access = StudioAccess()
        self.connections = SpareConnections()
        self.relations = KnownRelations()
        self.idle = Idle(idle)
        self.running = RunningQueries()
        self.history = StatementHistory(start.settings)
        self.first = MAIN
        """The address of what is shown first: of a database, see `places`, or of its page."""
        self.copies = Copies()
        self._read_only = read_only
        self._allow_remote = allow_remote

    def now(self) -> datetime:
        """The time here."""
        return datetime.now(UTC)

    @property
    def settings(self) -> Settings:
        """The project's settings."""
        return self.start.settings

    def database(self) -> Database:
        """The project's database, woken if need be.

        Raises:
            NeonupError: there is none any more, or it cannot be woken.
        """
        start = self.start
        return Start(
            start.settings, start.sign, start.against, start.local_only, create=False, quiet=True
        ).run()

    def recorded(self) -> Database | None:
        """The project's database as recorded, unchecked."""
        return find_database(self.settings)

    def versions(self) -> Versions:
        """The versions of the project's database.

        Raises:
            NeonupError: its provider keeps none.
        """
        return versions_of(self.settings, self.recorded())

    def obstacle(self, database: Database) -> str | None:
        """Why data must not be changed through this page; None where it may be.

        As with ``neonup mcp``: a database that neonup did not create is changed on this machine
        only, unless that was allowed; another folder's only where that folder was named.
        """
        if self._read_only:
            return "The studio was started with --read-only."
        try:
            check_enabled(self.settings)
            check_owner(self.settings, database, "changed")
        except NeonupError as error:
            return error.message
        if database.own or self._allow_remote:
            return None
        far = next(filter(None, map(destination.elsewhere, (database.direct, database.url))), None)
        if far is None:
            return None
        return (
            f"This is a database on {far} that neonup did not create. `neonup studio "
            "--allow-remote` lets you change it."
        )
