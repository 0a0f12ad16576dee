"""Data directories: created from a prepared copy, copied from another one, removed.

clusters/<id>/   data/, log, neonup.conf; `promised` instead of data that is copied when needed
bases/           data directories from which a cluster's past is built; the first of a project is
                 its engine's template
spares/          prepared copies of such a template, see `template_copies`
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neonup import EngineError
from neonup.plugin.postgres import PsqlSession, ServerLost
from neonup_emulator.neon.data import history
from neonup_emulator.neon.data.engines import ProjectEngines
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.data.template_copies import TemplateCopies
from neonup_local.engine import account as accounts
from neonup_local.engine import admin, cluster, copying, postmaster, program, template
from neonup_local.engine.binaries import Engine
from neonup_local.service import home as homes

_PROMISED = "promised"
"""The file in a cluster's folder that names the template of which it is still to be a copy."""
_TAIL = 50
"""Lines at a log's end in which the reason of a breakdown is looked for."""


class Clusters:
    """The data directories of one home.

    Args:
        home: neonup's own folder, for engines and templates.
        folder: where the local Neon keeps its own.
        pg_bin: a folder of Postgres programs to use before any other.
    """

    def __init__(self, home: Path, folder: Path, *, pg_bin: Path | None = None):
        self.engines = ProjectEngines(home, pg_bin)
        self.templates = TemplateCopies(home, folder)
        self._folder = folder
        self._new_bases: set[str] = set()
        for name in ("clusters", "bases", "spares"):
            homes.make_folder(folder / name)
            homes.spread(folder / name)

    def folder(self, id: str) -> Path:  # noqa: A002
        """The folder of a cluster."""
        return self._folder / "clusters" / id

    def data(self, id: str) -> Path:  # noqa: A002
        """Its data directory."""
        return self.folder(id) / "data"

    def engine_of(self, row: Cluster) -> Engine:
        """The engine that can start a cluster.

        Raises:
            EngineError: that Postgres is no longer on this machine.
        """
        return self.engines.for_data(row, self.data(row.id))

    def create(self, id: str, engine: Engine) -> None:  # noqa: A002
        """Give a new cluster a prepared copy of the template; where there is none, `provide` will.

        Raises:
            EngineError: its folder cannot be created.
        """
        folder = self._new_folder(id)
        history.create_archive(folder, accounts.for_new_data())
        name = self.templates.folder(engine).name
        if not self.templates.take_spare(name, folder / "data"):
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
        if not data.is_dir() and not self.templates.take_spare(name, data):
            self.templates.copy(name, data)
        promised.unlink()  # before anything is written: data that is lost is not made anew

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

    @contextmanager
    def _session(self, row: Cluster, address: Mapping[str, Any]) -> Iterator[PsqlSession]:
        """A session of the superuser of a running cluster.

        Raises:
            EngineError: the server breaks down in the block, e.g. since the disk is full.
        """
        engine = self.engine_of(row)
        try:
            with admin.session(
                engine, address["port"], address["password"], host=address["host"]
            ) as session:
                yield session
        except ServerLost:
            raise self.breakdown(row.id) from None

    def breakdown(self, id: str) -> EngineError:  # noqa: A002
        """The error where its server, which should run, does not answer."""
        try:
            log = (self.folder(id) / "log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            log = ""
        # What follows a panic is the end of each process and the recovery, and not the reason.
        panics = [line for line in program.last_lines(log, _TAIL) if " PANIC: " in line]
        lines = panics[-1:] or program.last_lines(log)
        return EngineError(f"Postgres does not answer. Its log says: {' '.join(lines)}")

    def remove_bases(self, wanted: set[str]) -> None:
        """Remove the bases that no cluster has, or is about to have.

        Args:
            wanted: those that a cluster's row has.
        """
        self._new_bases -= wanted
        left = wanted | self.templates.used | self._new_bases
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
