"""The provider ``local``: a Postgres of the project's own on this machine.

`LocalProvider.check` runs at every start, so this module imports nothing that a database which is
up does not need.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from neonup import Database, DatabaseSpec, EngineError, Inspection, Provider, State
from neonup_local.engine import postmaster

if TYPE_CHECKING:
    from neonup import Versions
    from neonup_local.service.databases import LocalDatabases

UPKEEP_SECONDS = 600.0
"""How often a start looks for idle servers."""


class LocalProvider(Provider):
    """Makes a stock Postgres for the project, with its own data, port and password.

    Its options are those of `neonup_local.options.LocalOptions`.
    """

    name: ClassVar[str] = "local"
    label: ClassVar[str] = "a local Postgres"
    retention: ClassVar[str | None] = "yours to keep until `neonup destroy`"
    local: ClassVar[bool] = True
    copies: ClassVar[bool] = True

    @property
    def databases(self) -> LocalDatabases:
        """The databases of this home, and what is set about the engines of new ones."""
        from neonup_local.options import LocalOptions
        from neonup_local.service.databases import LocalDatabases

        settings = self.settings
        options = LocalOptions.of(settings)
        return LocalDatabases(
            settings.home,
            pg_bin=settings.pg_bin,
            engine=options.engine,
            major=settings.postgres,
            superuser=options.superuser,
        )

    def id_of(self, database: Database) -> str:
        """The id of a database of the project's."""
        if database.id:
            return database.id
        from neonup_local.service import naming

        return naming.project_id(self.settings.project, self.settings.env_file, database.key)

    def unavailable(self) -> str | None:
        """Why no Postgres can be run here: there is none, or nobody to run it as."""
        from neonup_local.engine import account, binaries

        try:
            account.for_new_data()
            looked = []
            for candidate in binaries.candidates(self.settings.home, self.settings.pg_bin):
                if candidate.engine is not None:
                    return None
                looked.append(f"{candidate.name}: {candidate.why_not}")
        except EngineError as error:
            return error.message
        return f"no Postgres was found ({'; '.join(looked)})."

    def check(self, database: Database) -> State:
        """Whether its server answers: a few small files, seldom a connection, no subprocess."""
        folder = self._folder(database)
        data = os.path.join(folder, "data")  # noqa: PTH118
        server = postmaster.running(data)
        if server is not None:
            if f":{server.port}/" not in database.url or not postmaster.serves(server, data):
                return State.STOPPED
            self._used(data)
            return State.READY
        has_data = os.path.exists(os.path.join(data, "PG_VERSION"))  # noqa: PTH110, PTH118
        if has_data or self._is_being_exchanged(folder):
            return State.STOPPED
        return State.READY if self._is_somebody_elses(database) else State.MISSING

    def _is_somebody_elses(self, database: Database) -> bool:
        """Whether the URL works though its data is not in this home: root's, after a ``sudo``."""
        from neonup_local.engine import admin, binaries
        from neonup_local.service import naming

        password, port = naming.secrets_of(database.url)
        if password is None or port is None or not postmaster.answers(port):
            return False
        for candidate in binaries.candidates(self.settings.home, self.settings.pg_bin):
            if candidate.engine is not None:
                return admin.lets_in(candidate.engine, port, password)
        return False

    @staticmethod
    def _is_being_exchanged(folder: str) -> bool:
        from neonup_local.service import notes

        return notes.is_being_exchanged(folder)

    def _folder(self, database: Database) -> str:
        id_ = self._safe(self.id_of(database))
        return os.path.join(self.settings.home, "databases", id_)  # noqa: PTH118 - pathlib costs more than all the rest

    def _used(self, data: str) -> None:
        """Leave a trace that the database is in use, and begin the upkeep if it is due."""
        stamp = os.path.join(self.settings.home, "upkeep")  # noqa: PTH118
        try:
            os.utime(os.path.join(data, os.pardir, "log"))  # noqa: PTH118
            due = time.time() - os.stat(stamp).st_mtime > UPKEEP_SECONDS  # noqa: PTH116
        except OSError:
            due = True
        if due:
            self._after_use()

    @staticmethod
    def _safe(id: str) -> str:  # noqa: A002
        if id.replace("-", "").replace("_", "").isalnum() and id[0].isalnum():
            return id
        raise EngineError(f"{id!r} cannot be the id of a local database.")

    def provision(self, spec: DatabaseSpec) -> Database:
        """Make the project's database, or reattach to the one whose data is here already."""
        from neonup_local import attaching, creation
        from neonup_local.service import naming, notes

        old, lacks = spec.replaces, None
        id_ = (old.id if old else None) or self._own_id(spec)
        password, port = naming.secrets_of(old.url) if old else (None, None)
        databases = self.databases
        had_data = databases.has_data(id_)
        if had_data and password and port:
            record = attaching.usable(databases, id_, password, port)
        elif spec.copy_of is not None and not databases.folder(id_).exists():
            return self._copied(databases, id_, spec, spec.copy_of)
        else:
            record, lacks = creation.create(
                databases, id_, spec, self.settings, password=password, port=port
            )
        creation.create_privileged(databases, record, self.settings.extensions)
        # Killed before it could tell its URL to anyone, a run leaves a database that is new still.
        used = had_data and notes.was_used(databases.folder(id_))
        remark = "it still has its earlier data; `neonup reset` empties it"
        if old is not None and not had_data and not naming.is_plain(old.url):
            old = None  # a role or a database of the user's own that the new one does not have
        database = attaching.as_database(databases, record, old, spec.key)
        self._after_use()
        return database.with_(created=not used, note=remark if used else lacks or database.note)

    def _own_id(self, spec: DatabaseSpec) -> str:
        """The id of the database of this folder, which no other folder has taken along."""
        from neonup import owner
        from neonup_local.service import naming

        wanted = naming.project_id(spec.project, spec.env_file, spec.key)
        number, id_ = 1, wanted
        taken = spec.copy_of.id if spec.copy_of else None
        while id_ == taken or owner.other_owner(self.settings, self.name, id_):
            number, id_ = number + 1, f"{wanted}-{number + 1}"
        return id_

    def _copied(
        self, databases: LocalDatabases, id_: str, spec: DatabaseSpec, origin: Database
    ) -> Database:
        """A new database that begins with another one's data."""
        from neonup_local import attaching, creation
        from neonup_local.service.versions import clones

        record = clones.copy(databases, id_, spec, self.id_of(origin))
        creation.create_privileged(databases, record, self.settings.extensions)
        made = attaching.as_database(databases, record, None, spec.key)
        self._after_use()
        note = f"it begins as a copy of the database in {origin.source}"
        return made.with_(created=True, note=note)

    def wake(self, database: Database) -> Database:
        """Start its server; where its port is taken meanwhile, the URL has another one."""
        from neonup_local import attaching
        from neonup_local.service import naming

        databases = self.databases
        password, port = naming.secrets_of(database.url)
        record = attaching.usable(databases, self.id_of(database), password, port)
        woken = attaching.as_database(databases, record, database, database.key)
        self._after_use()
        return woken

    def server_url(self, database: Database) -> str:
        """The server's URL; it has a database that is called as the role from now on."""
        from neonup import urls
        from neonup_local import creation

        databases = self.databases
        record = databases.get(self.id_of(database))
        if record is not None:
            creation.create_role_database(databases.home, databases.engine_of(record), record.port)
        return urls.without_database(database.url)

    def inspect(self, database: Database) -> Inspection:
        """Its state, and what a person wants to know of it."""
        from neonup_local.service import details

        databases = self.databases
        detail: Mapping[str, str] = details.of(databases, self.id_of(database))
        return Inspection(self.check(database), database, detail)

    def versions(self, database: Database) -> Versions:
        """Its versions: copies of its data, in its own folder."""
        from neonup_local.service.versions.local_versions import LocalVersions

        return LocalVersions(self.databases, self.id_of(database), self._after_use)

    def git_branch(self, database: Database) -> str:
        """The git branch that the data is of, as noted beside it."""
        from neonup_local.service import notes

        return notes.git_branch(self._folder(database))

    def switch(self, database: Database, git_branch: str) -> Database:
        """Stop its server and exchange its data directory for the other branch's."""
        from neonup_local.service.versions import checkouts

        known = checkouts.switch(self.databases, self.id_of(database), git_branch)
        return database.with_(created=not known)

    def clear(self, database: Database) -> None:
        """Stop its server and remove its data; its versions stay."""
        from neonup_local import creation

        creation.check_engine(self.databases, self.settings)
        self.databases.clear(self.id_of(database))

    def delete(self, database: Database) -> None:
        """Stop its server and remove its data, its versions and its branches."""
        self.databases.delete(self.id_of(database))

    def facts(self) -> Iterator[str]:
        """The engines that were looked at, for ``neonup doctor``."""
        for row in self.engines():
            if row["why_not"]:
                yield f"{row['name']} ({row['where']}): {row['why_not']}"
                continue
            has = [name for name in ("tls", "icu", "contrib", "pgvector") if row[name]]
            taken = ", used for new databases" if row["chosen"] else ""
            yield (
                f"{row['name']}: Postgres {row['version']} with {', '.join(has) or 'nothing more'}"
                f"{taken} ({row['where']})"
            )
        yield "no pooler: a pooled URL equals the direct one, here and in neonup serve"

    def engines(self) -> list[dict[str, str | bool | None]]:
        """Every Postgres that was looked at, for ``neonup doctor``; the first usable is taken."""
        from neonup_local.creation import engine_needs
        from neonup_local.service import details

        return details.engines(self.databases, engine_needs(self.settings))

    def explain_missing(self, feature: str) -> str | None:
        """Which engine has what the one in use lacks; None if that is not known."""
        from neonup_local.engine import missing_extensions

        settings = self.settings
        return missing_extensions.explain_missing(settings.home, feature, settings.pg_bin)

    def data_folder(self, database: Database) -> Path:
        """The folder of the database: ``database.json``, ``data/`` and ``log``."""
        return self.databases.folder(self.id_of(database))

    def _after_use(self) -> None:
        from neonup_local.service import upkeep

        upkeep.start(self.settings.home)
