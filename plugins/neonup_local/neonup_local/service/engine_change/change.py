"""Moving a database to another engine: its URL stays, and its data of before becomes a version."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from neonup import EngineError, Version
from neonup.plugin import progress
from neonup_local.engine import account as accounts
from neonup_local.engine import choosing, postmaster, template
from neonup_local.engine.account import SystemAccount
from neonup_local.engine.binaries import Engine
from neonup_local.service import private_server, stock, swap
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.engine_change import compatibility, survey, transfer
from neonup_local.service.engine_change.survey import Survey
from neonup_local.service.private_server import PrivateServer
from neonup_local.service.records import Record
from neonup_local.service.versions import exchange
from neonup_local.service.versions.exchange import DoesNotStart

_BEFORE = "before-engine"
_CONFIGURATION = ("postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf")


@dataclass(frozen=True)
class EngineChange:
    """What was done.

    Args:
        engine: the id of the engine that the database has now.
        before: the version that has the data of before; None: it had that engine already.
        reasons: why the data was dumped and restored; empty where the data directory stayed.
    """

    engine: str
    before: Version | None
    reasons: tuple[str, ...] = ()


def use(databases: LocalDatabases, id: str, name: str) -> EngineChange:  # noqa: A002
    """Move a database to the engine of a name; connections end.

    Where the engine can run the data directory as it is, that stays; else everything is dumped and
    restored into a new one, and the row counts are compared.

    Args:
        databases: of the home.
        id: the database's.
        name: the engine's, as ``neonup doctor`` shows it.

    Raises:
        EngineError: there is no such engine, it lacks what is in use, or the data could not be
            moved; the database is as it was.
    """
    with databases.locked(id):
        record = exchange.begin(databases, id)
        own = databases.engine_of(record)
        major = databases.major or own.major
        engine = choosing.named(databases.home, name, major=major, pg_bin=databases.pg_bin)
        if engine.id == own.id:
            return EngineChange(engine.id, None)
        move = _Move(databases, record, own, engine)
        was_running = move.refuse_while_running()
        databases.stop_locked(id)
        try:
            return move.carry_out()
        except EngineError:
            if was_running:
                with suppress(EngineError):  # the first one says what to do
                    databases.wake_locked(exchange.existing(databases, id))
            raise


@dataclass(frozen=True)
class _Move:
    """One database on its way to another engine; its lock is held.

    Args:
        databases: of the home.
        record: the database.
        own: the engine that it has.
        engine: the engine that it is to have.
    """

    databases: LocalDatabases
    record: Record
    own: Engine
    engine: Engine

    @property
    def _folder(self) -> Path:
        return self.databases.folder(self.record.id)

    def refuse_while_running(self) -> bool:
        """Refuse what cannot be done before anybody's connection is closed.

        Returns:
            Whether its server runs.
        """
        if postmaster.running(self._folder / "data") is None:
            return False
        port = self.databases.wake_locked(self.record).port
        server = PrivateServer(self.own, port, template.admin_password(self.databases.home))
        compatibility.refuse_impossible(survey.of(server), self.engine)
        return True

    def carry_out(self) -> EngineChange:
        """Make the data for the other engine, its server being stopped, and exchange it."""
        moving = progress.work(f"Moving the database to {self.engine.id}")
        with moving, private_server.allowed(self._folder):
            bring, reasons = self._make()
        try:
            before = exchange.replace_data(
                self.databases, self.record, bring, self.engine, before=_BEFORE
            )
        except DoesNotStart as error:
            raise EngineError(
                f"Postgres does not start with {self.engine.id}. The database is as it was.",
                checked=[error.message, *error.checked],
            ) from None
        return EngineChange(self.engine.id, before.version(), tuple(reasons))

    def _make(self) -> tuple[str, list[str]]:
        """The staged data, and why it was dumped and restored."""
        reasons = [f"Postgres {self.engine.major} cannot read the data of {self.own.major}"]
        if self.engine.major == self.own.major:
            present = self._survey()
            with private_server.new_folder(self._folder) as making:
                reasons = self._copy_directory(present, making)
                if not reasons:
                    return swap.stage(self._folder, making / "data"), reasons
        with private_server.new_folder(self._folder) as making:
            self._dump_and_restore(making, reasons)
            return swap.stage(self._folder, making / "data"), reasons

    def _survey(self) -> Survey:
        with private_server.running(self.databases.home, self._folder, self.own) as server:
            present = survey.of(server)
        compatibility.refuse_impossible(present, self.engine)
        return present

    def _copy_directory(self, present: Survey, making: Path) -> list[str]:
        """Copy the data directory for the other engine; returns why that one cannot have it."""
        data = self._folder / "data"
        template.copy(data, making / "data", accounts.of_data(data))
        try:
            with private_server.running(self.databases.home, making, self.engine) as server:
                reasons = compatibility.why_not_in_place(present, server)
                if not reasons:
                    compatibility.update(present, self.own, server)
        except EngineError as error:
            return [" ".join([error.message, *error.checked[-1:]])]
        return reasons

    def _dump_and_restore(self, making: Path, reasons: list[str]) -> None:
        home, data = self.databases.home, self._folder / "data"
        account = accounts.for_new_data()
        template.copy(stock.prepare(home, self.engine, account), making / "data", account)
        for name in _CONFIGURATION:
            _copy_file(data / name, making / "data" / name, account)
        try:
            with (
                private_server.running(home, self._folder, self.own) as source,
                private_server.running(home, making, self.engine, disposable=True) as target,
            ):
                present = survey.of(source)
                compatibility.refuse_impossible(present, self.engine)
                transfer.copy(source, target, present.databases, making)
        except EngineError as error:
            raise EngineError(
                f"The database could not be moved to {self.engine.id}. It is as it was.",
                checked=[*reasons, error.message, *error.checked],
                remedy=error.remedy,
            ) from None


def _copy_file(source: Path, target: Path, account: SystemAccount) -> None:
    """Copy a file of a data directory; links are not followed, since its account may set them."""
    flags = getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(os.open(source, os.O_RDONLY | flags), "rb") as file:  # noqa: PTH123 - a descriptor
            content = file.read()
        target.write_bytes(content)
        account.own(target)
    except FileNotFoundError:
        return
    except OSError as error:
        raise EngineError(f"{source} cannot be copied: {error.strerror}.") from None
