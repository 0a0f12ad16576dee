"""Data directories: created from a prepared copy, copied from another one, removed.

clusters/<id>/   data/, log, neonup.conf; `promised` instead of data that is copied when needed
bases/           data directories from which a cluster's past is built; the first of a project is
                 its engine's template
spares/          prepared copies of such a template
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from neonup import EngineError
from neonup.plugin.postgres import PsqlSession
from neonup_emulator.neon.data import history
from neonup_emulator.neon.data.model import Base, Cluster
from neonup_local.engine import account as accounts
from neonup_local.engine import admin, binaries, cluster, copying, postmaster, template
from neonup_local.engine.binaries import Engine
from neonup_local.service import home as homes
from neonup_local.service import stock

SPARES = 3
"""Prepared copies of each template; refilled in the background."""
_PROMISED = "promised"
"""The file in a cluster's folder that names the template of which it is still to be a copy."""


class Clusters:
    """The data directories of one home.

    Args:
        home: neonup's own folder, for engines and templates.
        folder: where the local Neon keeps its own.
        pg_bin: a folder of Postgres programs to use before any other.
    """

    def __init__(self, home: Path, folder: Path, *, pg_bin: Path | None = None):
        self._home = home
        self._folder = folder
        self._pg_bin = pg_bin
        self._engines: dict[str, Engine] = {}
        self._chosen: dict[int | None, Engine] = {}
        self._templates: set[str] = set()
        self._new_bases: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._filling = threading.Lock()
        self._copying = threading.Lock()
        for name in ("clusters", "bases", "spares"):
            homes.make_folder(folder / name)
            homes.spread(folder / name)

    def folder(self, id: str) -> Path:  # noqa: A002
        """The folder of a cluster."""
        return self._folder / "clusters" / id

    def data(self, id: str) -> Path:  # noqa: A002
        """Its data directory."""
        return self.folder(id) / "data"

    def engine_for(self, major: int | None) -> Engine:
        """The engine of a new project; one that speaks TLS where there is any.

        Raises:
            EngineError: the machine has none of that version.
        """
        engine = self._chosen.get(major)
        if engine is None or not engine.bin.is_dir():
            engine = stock.choose_engine(self._home, pg_bin=self._pg_bin, tls=True, major=major)
            self._chosen[major] = self._engines[engine.id] = engine
        return engine

    def engine_of_id(self, id: str) -> Engine:  # noqa: A002
        """The engine of that id, or its successor, for a cluster without data.

        Raises:
            EngineError: the machine has it no more.
        """
        known = self._engines.get(id)
        if known is None or not known.bin.is_dir():
            name = id.rpartition("-")[0]
            known = stock.choose_engine(self._home, pg_bin=self._pg_bin, tls=True, name=name)
            self._engines[id] = known
        return known

    def engine_of(self, row: Cluster) -> Engine:
        """The engine that can start a cluster.

        Raises:
            EngineError: the machine has it no more.
        """
        known = self._engines.get(row.engine)
        if known is None or not known.bin.is_dir():
            major = cluster.major_version(self.data(row.id))
            self._engines[row.engine] = binaries.for_data(
                self._home, major, row.engine, self._pg_bin
            )
        return self._engines[row.engine]

    def create(self, id: str, engine: Engine) -> None:  # noqa: A002
        """Give a new cluster a prepared copy of the template; where there is none, `provide` will.

        Raises:
            EngineError: its folder cannot be created.
        """
        folder = self._new_folder(id)
        history.create_archive(folder, accounts.for_new_data())
        name = self.template(engine).name
        if not self._take_spare(name, folder / "data"):
            (folder / _PROMISED).write_text(name, encoding="ascii")

    def has_data(self, id: str) -> bool:  # noqa: A002
        """Whether it has its data; else that is copied when it is needed."""
        return self.data(id).is_dir()

    def provide(self, id: str) -> None:  # noqa: A002
        """Make sure that a cluster has its data; call it while the cluster is held.

        Raises:
            EngineError: the template cannot be copied.
        """
        folder = self.folder(id)
        promised, data = folder / _PROMISED, folder / "data"
        try:
            name = promised.read_text(encoding="ascii")
        except FileNotFoundError:
            return
        if not data.is_dir() and not self._take_spare(name, data):
            making = folder / ".making"
            shutil.rmtree(making, ignore_errors=True)
            template.copy(self._folder / "bases" / name, making, accounts.for_new_data())
            making.rename(data)
        promised.unlink()  # before anything is written: data that is lost is not made anew

    def _take_spare(self, name: str, target: Path) -> bool:
        for spare in (self._folder / "spares" / name).glob("spare-*"):
            with contextlib.suppress(FileNotFoundError):  # taken by another thread
                spare.rename(target)
                return True
        return False

    def template_base(self, engine: Engine, at: datetime) -> Base:
        """The base of every cluster that `create` creates."""
        folder = self.template(engine)
        shown = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as the API tells it
        return Base(folder.name, shown, history.first_segment(folder))

    def copy_stopped(self, source: str, target: str) -> None:
        """Copy a cluster whose server does not run and cannot be started meanwhile."""
        self.provide(source)
        folder = self._new_folder(target)
        template.copy(self.data(source), folder / "data", accounts.of_data(self.data(source)))
        history.inherit(self.folder(source), folder, complete=False)

    def copy_running(self, source: Cluster, target: str, address: Mapping[str, Any]) -> str:
        """Copy a cluster whose server runs, with all that was committed before the call.

        Args:
            source: the running cluster.
            target: the id of the new one.
            address: where its superuser connects.

        Returns:
            The position in the source's log at which the copy begins its own life.
        """
        folder = self._new_folder(target)
        session = self._session(source, address)
        lsn = copying.backup(self.data(source.id), folder / "data", session)
        history.inherit(self.folder(source.id), folder, complete=True)
        return lsn

    def replay(self, source: Cluster, target: str, moment: history.RecoveryTarget) -> None:
        """Build a cluster as another one was at a moment.

        Raises:
            EngineError: the log does not lead there.
        """
        base = self._folder / "bases" / moment.reachable(source.bases)[-1].id
        engine, folder = self.engine_of(source), self._new_folder(target)
        history.replay(engine, base, self.folder(source.id), folder, moment)

    def begin(self, row: Cluster) -> int:
        """The position in the log with which a cluster's history begins, as a number."""
        log = self._folder / "bases" / row.bases[0].id / "pg_wal"
        return history.begin_of(log / row.bases[0].begin)

    def add_base(
        self,
        source: Cluster,
        id: str,  # noqa: A002
        address: Mapping[str, Any] | None,
    ) -> str:
        """Copy a cluster's data as a base.

        Args:
            source: the cluster.
            id: the base's.
            address: where its superuser connects; None: it does not run, and
                cannot be started meanwhile.

        Returns:
            The segment of the log with which the base begins.
        """
        target = self._folder / "bases" / id
        self._new_bases.add(id)
        data = self.data(source.id)
        if address is None:
            template.copy(data, target, accounts.of_data(data))
        else:
            copying.backup(data, target, self._session(source, address))
        return history.first_segment(target)

    def _session(
        self, row: Cluster, address: Mapping[str, Any]
    ) -> AbstractContextManager[PsqlSession]:
        """A session of the superuser of a running cluster."""
        return admin.session(
            self.engine_of(row), address["port"], address["password"], host=address["host"]
        )

    def remove_bases(self, wanted: set[str]) -> None:
        """Remove the bases that no cluster has, or is about to have.

        Args:
            wanted: those that a cluster's row has.
        """
        self._new_bases -= wanted
        left = wanted | self._templates | self._new_bases
        for folder in (self._folder / "bases").iterdir():
            if folder.name not in left and folder.name[0] != ".":
                shutil.rmtree(folder, ignore_errors=True)

    def log_since(self, row: Cluster) -> int:
        """Bytes of log that a cluster has archived since its last base."""
        return history.size(self.folder(row.id), row.bases[-1].begin)

    def data_size(self, id: str) -> int:  # noqa: A002
        """Bytes of a cluster's data."""
        paths = (self.data(id) / "base").rglob("*")
        return sum(path.stat().st_size for path in paths if path.is_file())

    def template_size(self, engine: Engine) -> int:
        """Bytes of a new cluster's data."""
        if engine.id not in self._sizes:
            paths = (self.template(engine) / "base").rglob("*")
            self._sizes[engine.id] = sum(path.stat().st_size for path in paths if path.is_file())
        return self._sizes[engine.id]

    def fill(self, engine: Engine) -> None:
        """Prepare spares until there are enough; at once where another thread is doing so."""
        if not self._filling.acquire(blocking=False):
            return
        try:
            folder = self._spares(engine)
            homes.make_folder(folder)
            for leftover in folder.glob(".making-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            while len(list(folder.glob("spare-*"))) < SPARES:
                name = secrets.token_hex(4)
                making = folder / f".making-{name}"
                self._copy_template(engine, making)
                making.rename(folder / f"spare-{name}")
        finally:
            self._filling.release()

    def stop(self, id: str) -> bool:  # noqa: A002
        """Stop its server; False where none ran.

        Raises:
            EngineError: it does not stop.
        """
        return cluster.stop(self.data(id))

    def running(self, id: str) -> postmaster.Postmaster | None:  # noqa: A002
        """Its server, if it runs and is ready."""
        return postmaster.running(self.data(id))

    def remove(self, id: str) -> None:  # noqa: A002
        """Stop its server and remove it, for good.

        Raises:
            EngineError: its server does not stop.
        """
        folder = self.folder(id)
        cluster.stop(folder / "data", immediately=True)
        trash = folder.with_name(f".trash-{id}-{secrets.token_hex(4)}")
        with contextlib.suppress(FileNotFoundError):
            folder.rename(trash)
            shutil.rmtree(trash, ignore_errors=True)

    def sweep(self, rows: list[Cluster]) -> None:
        """Stop every server that is left from a killed run, and remove what nothing points to."""
        wanted = {row.id for row in rows}
        bases = {base.id for row in rows for base in row.bases}
        for folder in (self._folder / "bases").iterdir():
            if folder.name not in bases:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in (self._folder / "clusters").iterdir():
            if folder.name.startswith("."):
                shutil.rmtree(folder, ignore_errors=True)
            elif folder.name not in wanted:
                self.remove(folder.name)
            else:
                cluster.stop(folder / "data")

    def _new_folder(self, id: str) -> Path:  # noqa: A002
        folder = self.folder(id)
        try:
            homes.make_folder(folder, exist_ok=False)
        except OSError as error:
            raise EngineError(
                f"A new cluster could not be created in {folder.parent}: {error.strerror}.",
                remedy="Free some space or allow writing there.",
            ) from None
        return folder

    def _copy_template(self, engine: Engine, target: Path) -> None:
        account = accounts.for_new_data()
        template.copy(self.template(engine), target, account)

    def template(self, engine: Engine) -> Path:
        """An engine's template, as this local Neon keeps it while a project needs it.

        Raises:
            EngineError: it cannot be created or copied.
        """
        folder = self._folder / "bases" / f"{engine.id}-{template.FORM}"
        with self._copying:
            self._templates.add(folder.name)
            if not folder.is_dir():
                account = accounts.for_new_data()
                making = folder.with_name(f".making-{secrets.token_hex(4)}")
                template.copy(stock.prepare(self._home, engine, account), making, account)
                making.rename(folder)
        return folder

    def _spares(self, engine: Engine) -> Path:
        return self._folder / "spares" / f"{engine.id}-{template.FORM}"
