"""Creating a database so that its URL is not lost, whatever happens before it is recorded.

A service gives a database's URL once. Between its answer and ``.env`` the disk may be full and the
process may be killed. So the database is kept in neonup's home first, and the next start that needs
one takes it from there. Databases on this machine need no such file: their provider finds the data
again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress

from neonup import progress
from neonup.database import Database, DatabaseSpec, State
from neonup.errors import NeonupError
from neonup.provider import Provider
from neonup.providers.state_store import StateStore
from neonup.settings import Settings
from neonup.start import database_json, lookup

_ROOM = 4000
"""Characters that are written before the service is asked: more than a database takes up."""


def create(
    settings: Settings,
    provider: Provider,
    spec: DatabaseSpec,
    *,
    record: Callable[[Database], Database],
    replaces: Database | None = None,
) -> Database:
    """Create a database, or take one that an earlier start created and could not record.

    The caller holds the project's lock.

    Args:
        record: writes the database down for good, and returns what it wrote. What it raises is
            passed on; the database is kept for the next start then, or its URL is printed where it
            could be written nowhere.
        replaces: the database that is recorded now.

    Raises:
        NeonupError: none was created, since the provider or the disk refused.
    """
    facts = {"key": spec.key, "stays": provider.retention is not None}
    if provider.local:
        local = _provisioned(provider, spec).with_(**facts).in_scheme(settings.url_scheme)
        return record(local)
    unrecorded = _Unrecorded(settings, provider)
    database = unrecorded.recall(replaces)
    if database is None:
        unrecorded.make_room()
        try:
            database = _provisioned(provider, spec)
        except NeonupError:
            unrecorded.forget()
            raise
    database = database.with_(**facts).in_scheme(settings.url_scheme)
    if database.adopted:  # it is found again
        unrecorded.forget()
        return record(database)
    try:
        unrecorded.keep(database)
        recorded = record(database)
    except BaseException:
        unrecorded.show(database)
        raise
    unrecorded.forget()
    return recorded


def _provisioned(provider: Provider, spec: DatabaseSpec) -> Database:
    with progress.work(f"Creating {provider.label or f'a {provider.name} database'}"):
        return provider.provision(spec)


class _Unrecorded:
    """The database of one key of one project that is not recorded yet: a file in neonup's home."""

    def __init__(self, settings: Settings, provider: Provider):
        self._files = StateStore(settings.home, "created")
        self._name = settings.state_name
        self._provider = provider
        self._is_written = False

    def recall(self, replaces: Database | None) -> Database | None:
        """The database that an earlier start created and could not record; None: there is none."""
        content = self._files.read(self._name) or {}
        database = database_json.from_json(content.get("database"))
        if database is None or database.provider != self._provider.name:
            return None  # it is kept for a start that asks this provider
        if replaces is not None and lookup.is_same(database, replaces):
            return None
        if self._provider.inspect(database).state not in (State.READY, State.STOPPED):
            return None
        return database.with_(note="an earlier start had created it")

    def make_room(self) -> None:
        """Find out that the disk is full before a database is created rather than afterwards."""
        if self._files.read(self._name) is None:
            self._files.write(self._name, {"room": "-" * _ROOM})

    def keep(self, database: Database) -> None:
        """Keep the database until it is recorded; where that fails, `show` prints the URL."""
        with suppress(NeonupError):
            self._files.write(self._name, {"database": database_json.to_json(database)})
            self._is_written = True

    def forget(self) -> None:
        """Remove the file, if possible: the database is recorded, or none was created."""
        with suppress(NeonupError):  # `recall` does not take what is recorded, or gone
            self._files.forget(self._name)

    def show(self, database: Database) -> None:
        """Say what becomes of the database; print its URL where that could be written nowhere."""
        if self._is_written:
            print(
                f"neonup: the {database.provider} database was created, and the next start "
                "records it.",
                file=sys.stderr,
            )
            return
        print(
            f"neonup: the {database.provider} database was created, and its URL could be written "
            "nowhere. Keep it:",
            f"{database.key}={database.url}",
            *([f"claim it: {database.claim_url}"] if database.claim_url else []),
            sep="\n",
            file=sys.stderr,
        )
