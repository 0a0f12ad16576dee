"""`LocalVersions`: what ``neonup versions`` and ``neonup undo`` do to a local database."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Container
from datetime import datetime

from neonup import EngineError, Restored, Version, VersionBranch, Versions
from neonup_local.engine import account as accounts
from neonup_local.engine import choosing, cluster, sizes, template
from neonup_local.engine.binaries import Engine
from neonup_local.service import swap
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record
from neonup_local.service.versions import clones, copies, exchange, manifest
from neonup_local.service.versions.exchange import DoesNotStart
from neonup_local.service.versions.manifest import VersionManifest


class LocalVersions(Versions):
    """The versions of one database: copies of its data directory, made under its lock.

    Args:
        databases: of the home.
        id: the database's.
        after_use: begins the upkeep, which also sees to it that copies are on the disk.
    """

    def __init__(self, databases: LocalDatabases, id: str, after_use: Callable[[], None]):  # noqa: A002
        self._databases = databases
        self._id = id
        self._folder = databases.folder(id)
        self._after_use = after_use

    def checkpoint(
        self, name: str | None = None, *, automatic: bool = False, replace_oldest: bool = False
    ) -> Version:
        """Keep the database as it is now; any number of versions may be kept.

        Raises:
            EngineError: the name is taken, the disk is full, or the server refused.
        """
        with self._databases.locked(self._id):
            record = self._begin()
            name = self._free_name(name)
            making = manifest.begin(self._folder)
            try:
                copies.take(self._databases, record, making / "data")
                new = VersionManifest(name, record.engine, sizes.size(making / "data"), automatic)
                manifest.finish(self._folder, making, new)
            finally:
                shutil.rmtree(making, ignore_errors=True)
            exchange.limit(self._folder)
        self._after_use()
        return new.version()

    def history(self) -> list[Version]:
        """Every version, newest first."""
        return [version.version() for version in manifest.all_of(self._folder)]

    def preview(self, version: Version, *, expires_at: datetime | None = None) -> VersionBranch:
        """A database of its own with the version's data.

        Raises:
            EngineError: the version is damaged, the disk is full, or no port is free.
        """
        with self._databases.locked(self._id):
            record = self._begin()
            stored, _ = self._usable(version)
            source = manifest.place(self._folder, stored.id) / "data"
            made = clones.make(
                self._databases,
                record,
                exchange.free_name(
                    f"preview-{stored.name}", {branch.name for branch in self.branches()}
                ),
                lambda target: template.copy(source, target, accounts.of_data(source)),
                engine=stored.engine,
                expires_at=expires_at,
            )
        self._after_use()
        return made

    def restore(self, version: Version) -> Restored:
        """Put the version's data in the place of the present data, which becomes a version.

        The server is restarted on the same port, and connections end.

        Raises:
            EngineError: the version is damaged, its Postgres is not here, or the disk is full; the
                database is as it was.
        """
        with self._databases.locked(self._id):
            record = self._begin()
            stored, engine = self._usable(version)
            copy = self._folder / f".data-{secrets.token_hex(4)}"
            source = manifest.place(self._folder, stored.id) / "data"
            template.copy(source, copy, accounts.of_data(source))
            bring = swap.stage(self._folder, copy)
            try:
                before = exchange.replace_data(
                    self._databases, record, bring, engine, before=exchange.BEFORE_RESTORE
                )
            except DoesNotStart as error:
                raise EngineError(
                    f"Postgres does not start with the version {stored.name!r}. The database is as "
                    "it was.",
                    checked=[error.message, *error.checked],
                    remedy="`neonup versions list` shows the others.",
                ) from None
        self._after_use()
        return Restored(stored.name, before.version())

    def restore_to(self, moment: datetime) -> Restored:
        """Refuse: nothing keeps the log of a local database.

        Raises:
            EngineError: in any case; it lists the versions.
        """
        raise EngineError(
            "A database on this machine can be brought back to its versions, not to any moment.",
            checked=[f"{version.name} of {version.created_at:%Y-%m-%d %H:%M:%S} UTC"
                     for version in self.history()],
            remedy="`neonup undo VERSION` goes back to one; `neonup serve` is a local Neon that "
            "keeps the history.",
        )  # fmt: skip

    def delete(self, version: Version) -> None:
        """Delete a version; branches of it stay.

        Raises:
            EngineError: there is none, or a file cannot be removed.
        """
        with self._databases.locked(self._id):
            manifest.remove_leftovers(self._folder)
            manifest.remove(self._folder, self._manifest(version).id)

    def branch(self, name: str, *, expires_at: datetime | None = None) -> VersionBranch:
        """A database of its own with the data as it is now.

        Raises:
            EngineError: the name is taken, the disk is full, or no port is free.
        """
        with self._databases.locked(self._id):
            record = self._begin()
            name = _checked(name, {branch.name for branch in self.branches()})
            made = clones.make(
                self._databases,
                record,
                name,
                lambda target: copies.take(self._databases, record, target),
                engine=record.engine,
                expires_at=expires_at,
            )
        self._after_use()
        return made

    def branches(self) -> list[VersionBranch]:
        """The branches that `preview` and `branch` made, oldest first."""
        branches = self._databases.branches_of(self._id)
        return [clones.branch(self._databases, record) for record in branches]

    def delete_branch(self, branch: VersionBranch) -> None:
        """Delete a branch with its data.

        Raises:
            EngineError: there is none, or it cannot be removed.
        """
        if branch.id not in {other.id for other in self.branches()}:
            raise EngineError(f"There is no branch {branch.id!r} of this database.")
        self._databases.delete(branch.id)

    def _begin(self) -> Record:
        return exchange.begin(self._databases, self._id)

    def _free_name(self, given: str | None) -> str:
        taken = {version.name for version in manifest.all_of(self._folder)}
        return (
            exchange.free_name(exchange.dated("checkpoint"), taken)
            if given is None
            else _checked(given, taken)
        )

    def _manifest(self, version: Version) -> VersionManifest:
        for candidate in manifest.all_of(self._folder):
            if candidate.id == version.id:
                return candidate
        raise EngineError(
            f"There is no version {version.name!r} ({version.id}) any more.",
            remedy="`neonup versions list` shows them.",
        )

    def _usable(self, version: Version) -> tuple[VersionManifest, Engine]:
        """A version and the Postgres that can run its data; nothing has been changed yet."""
        stored = self._manifest(version)
        databases = self._databases
        try:
            major = cluster.major_version(manifest.place(self._folder, stored.id) / "data")
            return stored, choosing.for_data(databases.home, major, stored.engine, databases.pg_bin)
        except EngineError as error:
            raise EngineError(
                f"The version {stored.name!r} cannot be used. The database is as it was.",
                checked=[error.message, *error.checked],
                remedy=error.remedy,
            ) from None


def _checked(name: str, taken: Container[str]) -> str:
    """A name that a person gave to something new."""
    if not name.strip() or not name.isprintable():
        raise EngineError(f"{name!r} cannot be a name.", remedy="Give one that can be read.")
    if name in taken:
        raise EngineError(
            f"The name {name!r} is taken.", remedy="Give another one, or delete that one first."
        )
    return name
