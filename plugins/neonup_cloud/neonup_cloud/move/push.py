"""``neonup push``: the project's local database into the cloud, and ``.env`` switched to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from neonup import (
    USER,
    Database,
    DatabaseSpec,
    Provider,
    ProviderError,
    Settings,
    State,
    urls,
)
from neonup.plugin import provisioning
from neonup.plugin.files import make_private
from neonup.plugin.project import ENVIRONMENT, project_file, project_lock
from neonup_cloud.move import contents, unfinished
from neonup_cloud.move.between import Moved, Pair, name_in, place
from neonup_cloud.move.errors import MoveError
from neonup_cloud.move.session import Session
from neonup_cloud.move.unfinished import Unfinished

_AFTERWARDS = (
    "an earlier push had moved everything and was broken off then: values that were changed here "
    "since did not go"
)


@dataclass(frozen=True)
class Pushed:
    """What came of a push.

    Args:
        database: where the data is now.
        moved: what was moved.
        switched: the file that names the new database now; None: none does.
        back: the command that makes ``.env`` name the local database again.
    """

    database: Database
    moved: Moved
    switched: Path | None
    back: str


@dataclass
class Push:
    """One push of one project.

    Args:
        settings: the project's.
        local: its database, which answers.
        to: the URL of the target; None: a provider creates it.
        provider: which one.
        local_only: why no database may be created in the cloud here; None if it may.
        force: whether what is in the target may be removed.
        switch: whether ``.env`` is to name the target afterwards.
    """

    settings: Settings
    local: Database
    to: str | None = None
    provider: str | None = None
    local_only: str | None = None
    force: bool = False
    switch: bool = True

    def run(self) -> Pushed:
        """Move the data, compare it, and switch.

        Raises:
            NeonupError: it could not be done; the local database is as it was, and so is
                ``.env``.
        """
        if self.switch:
            self._make_sure_of_switching()
        with _alone(self.settings):
            before = unfinished.read(self.settings)
            target, provider = self._target(before)
            explain = provider.explain_missing if provider else _unknown
            pair = Pair(
                self.local.direct,
                target.direct,
                explain,
                self.settings.pg_bin,
                own=[database.direct for database in (self.local, target) if database.own],
            )
            moved = self._finished(pair, before) or self._move(pair, target, before)
            switched = None
            if self.switch:
                switched = project_file(self.settings)
                remarks = name_in(switched, target, self.settings, before=self.local)
                moved = replace(moved, remarks=(*moved.remarks, *remarks))
            unfinished.forget(self.settings)
        back = f"neonup --force --provider {self.local.provider}"
        return Pushed(target, moved, switched, back)

    def _make_sure_of_switching(self) -> None:
        if self.local.source == ENVIRONMENT:
            raise MoveError(
                f"{self.local.key} is set in the environment, which wins over any file; nothing "
                "was moved.",
                remedy=f"Unset it there (unset {self.local.key}), or pass --no-switch.",
            )
        provisioning.check_writable(project_file(self.settings))

    def _target(self, before: Unfinished | None) -> tuple[Database, Provider | None]:
        """The database to push into, created if need be."""
        if self.to is not None:
            url = self.to
            direct = urls.direct(url)
            database = Database(
                url, USER, direct_url=direct if direct != url else None, key=self.local.key
            )
            return database, None
        settings = replace(
            self.settings,
            provider=self.provider or "",
            sources={**self.settings.sources, "provider": "argument"},
        )
        provider, _ = provisioning.choose_provider(settings, local_only=self.local_only)
        if provider.local:
            raise MoveError(
                f"The provider {provider.name!r} makes databases on this machine; a push goes "
                "to another place.",
                remedy="Name a provider of the cloud, or a database with --to URL.",
            )
        earlier = before.created if before else None
        if earlier and earlier.provider == provider.name and _usable(provider, earlier):
            return earlier, provider
        return self._create(provider), provider

    def _create(self, provider: Provider) -> Database:
        settings = self.settings
        spec = DatabaseSpec(
            project=settings.project,
            key=self.local.key,
            env_file=settings.env_file,
            ref=settings.ref,
            logical_replication=settings.logical_replication,
        )

        def note(database: Database) -> Database:  # else the next push would create another one
            unfinished.write(settings, Unfinished(place(database.direct), created=database))
            return database

        with project_lock(settings):
            return provisioning.create_database(settings, provider, spec, record=note)

    def _move(self, pair: Pair, target: Database, before: Unfinished | None) -> Moved:
        made = target if target.provider != USER else before.created if before else None
        where = place(target.direct)

        def begun(xid: str) -> None:
            unfinished.write(self.settings, Unfinished(where, xid, made))

        return pair.move(force=self.force, begun=begun)

    def _finished(self, pair: Pair, before: Unfinished | None) -> Moved | None:
        """What a push moved that was killed after its last step but one; None: there is none."""
        if self.force or before is None or not before.xid or before.place != place(pair.target):
            return None
        tools = pair.tools()
        with pair.writing(tools) as target:
            status = _status(target, before.xid)
            if status == "in progress":
                raise MoveError(
                    "An earlier push to this database has not ended yet; nothing was moved.",
                    remedy="Its server notices within minutes that it was broken off: try again.",
                )
            if status != "committed":
                return None  # nothing of it is there
            with pair.reading(tools) as source:
                tables = contents.tables(source)
                rows = contents.count(source, tables)
                moved = {table.quoted for table in contents.tables(target)}
                if {table.quoted for table in tables} - moved:
                    return None
                if contents.count(target, tables) != rows:
                    return None
        return Moved(rows, (_AFTERWARDS,))


def _unknown(feature: str) -> str | None:
    return None


def _usable(provider: Provider, database: Database) -> bool:
    """Whether a database that was created for an earlier push is still there."""
    try:
        return provider.inspect(database).state in (State.READY, State.STOPPED)
    except ProviderError:
        return False


def _status(target: Session, xid: str) -> str | None:
    """What became of a transaction; None where the server does not know it (any more)."""
    number = f"'{int(xid)}'::xid8"
    # A new transaction's number is above all that were given: a server that was restored to an
    # earlier moment does not know the later ones.
    status = target.value(
        f"CASE WHEN {number} < pg_catalog.pg_current_xact_id() "
        f"THEN pg_catalog.pg_xact_status({number}) END"
    )
    return None if status is None else str(status)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One push of a project at a time.

    Raises:
        MoveError: there is another one, or the folder of its lock cannot be made.
    """
    from neonup.plugin.locks import FileLock, LockTimeout

    folder = settings.home / unfinished.FOLDER
    try:
        make_private(folder)
    except OSError as error:
        raise MoveError(
            f"The folder {folder} cannot be made: {error.strerror}.",
            remedy="Set NEONUP_HOME to a folder that you can write to.",
        ) from None
    try:
        with FileLock(folder / f"{unfinished.name(settings)}.lock", timeout=0):
            yield
    except LockTimeout:
        raise MoveError(
            "Another push of this project is under way.", remedy="Wait for its end."
        ) from None
