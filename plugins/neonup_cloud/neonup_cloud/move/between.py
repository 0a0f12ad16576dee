"""What push and pull have in common: two databases, a look at both, and the transfer."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from neonup import Database, NeonupError, Settings, urls
from neonup.plugin import progress, provisioning
from neonup.plugin.manager import create_plugin_manager
from neonup.plugin.postgres import psql_command
from neonup.plugin.project import exposure_remarks, is_same, project_lock, recorded_database
from neonup_cloud.move import contents, plan
from neonup_cloud.move.errors import MoveError
from neonup_cloud.move.masks import resolve
from neonup_cloud.move.plan import Explain
from neonup_cloud.move.session import Session
from neonup_cloud.move.tools import Tools, find_tools
from neonup_cloud.move.transfer import SourceSnapshot, Transfer

_SHOWN = 5
SOURCE, TARGET = "The source", "The target"


@dataclass(frozen=True)
class Moved:
    """What was moved.

    Args:
        rows: how many rows each table has in both databases, by its name.
        remarks: what is different in the target.
    """

    rows: Mapping[str, int]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """The two databases of a move.

    Args:
        source: the URL of the one that is read, past a pooler.
        target: the URL of the one that is filled, past a pooler.
        explain: says how to get what the target lacks.
        pg_bin: a folder of Postgres programs, from the setting.
        own: the URLs of those that neonup created: libpq's variables change nothing there.
    """

    source: str
    target: str
    explain: Explain = lambda feature: None
    pg_bin: Path | None = None
    own: Collection[str] = ()

    def reading(self, tools: Tools | None = None) -> Session:
        """A session of the source."""
        return session(SOURCE, self.source, self.pg_bin, tools, own=self.source in self.own)

    def writing(self, tools: Tools | None = None) -> Session:
        """A session of the target."""
        return session(TARGET, self.target, self.pg_bin, tools, own=self.target in self.own)

    def move(
        self,
        *,
        force: bool,
        masks: Mapping[str, str] | None = None,
        begun: Callable[[str], None] = lambda xid: None,
    ) -> Moved:
        """Look at both, then fill the target in one transaction.

        Args:
            force: whether what is in the target may be removed.
            masks: maskings by column.
            begun: called with the target's transaction number before anything is changed.

        Raises:
            MoveError: it cannot be done, or failed; both are as they were.
            NeonupError: no program on this machine can do it.
        """
        with (
            progress.work("Looking at both databases"),
            self.reading(tools := self.tools()) as reading,
            self.writing(tools) as target,
        ):
            _make_sure_that_they_differ(reading, target)
            source = SourceSnapshot.of(reading, tools, self.source)
            target_server = contents.server(target)
            move_plan = plan.make(reading, source.server, target_server, self.explain)
            if move_plan.obstacles:
                raise MoveError(
                    "The database cannot go there as it is; nothing was moved.",
                    checked=[f"it has {obstacle}" for obstacle in move_plan.obstacles],
                    remedy="Change that in the source or the target, then run it again.",
                )
            masked = resolve(reading, source.tables, masks or {})
            clear = self._may_fill(target, target_server.database, force)
            transfer = Transfer(source, target, target_server, masked)
            try:
                transfer.run(clear=clear, begun=begun)
            except MoveError as error:
                raise self._explained(error) from None
        return Moved(source.rows, move_plan.remarks)

    def tools(self) -> Tools:
        """The programs that can read the source and reach both.

        Raises:
            MoveError: the source cannot be reached.
            NeonupError: there are none.
        """
        with self.reading() as reading:
            major = contents.server(reading).major
        return find_tools((self.source, self.target), major, self.pg_bin, self.own)

    def _may_fill(self, target: Session, name: str, force: bool) -> bool:
        """Whether the target is to be emptied first.

        Raises:
            MoveError: it is not empty, and nobody said that it may be.
        """
        objects = contents.objects(target)
        if not objects or force:
            return bool(objects)
        shown = [f"{kind} {quoted}" for kind, quoted in objects[:_SHOWN]]
        more = [f"and {len(objects) - _SHOWN} more"] if len(objects) > _SHOWN else []
        raise MoveError(
            f"The target, {name}, is not empty; nothing was moved.",
            checked=[*shown, *more],
            remedy="Name an empty database, or pass --force to replace what is in it.",
        )

    def _explained(self, error: MoveError) -> NeonupError:
        known = self.explain(error.missing) if error.missing else None
        assurance = "The target is as it was."
        error.remedy = " ".join(filter(None, [known, error.remedy, assurance]))
        return error


def _make_sure_that_they_differ(source: Session, target: Session) -> None:
    """Two URLs may name one database in two ways; a session's lock is one database's.

    Raises:
        MoveError: they are the same.
    """
    number = secrets.randbits(62)
    source.run(f"SELECT pg_catalog.pg_advisory_lock({number});")
    if not target.value(f"pg_catalog.pg_try_advisory_lock({number})"):
        raise MoveError("The source and the target are the same database.")


def name_in(
    file: Path, database: Database, settings: Settings, *, before: Database | None
) -> tuple[str, ...]:
    """Let a file name a database, with the variables of plugins; what there is to say of it.

    Args:
        file: the file.
        database: the database.
        settings: the project's.
        before: the database that the project's files named when the move began.

    Raises:
        MoveError: they name another one by now; nothing was written.
        EnvFileError: it cannot be written, and is as it was.
        NeonupError: a plugin failed; the file names the database.
    """
    with project_lock(settings):
        if not is_same(recorded_database(settings), before):
            raise MoveError(
                f"{settings.key} names another database than at the beginning, so {file.name} was "
                "not changed. The data has been moved.",
                remedy="Run the same command again to go on from there.",
            )
        provisioning.write_record(database, settings, file, replace=True)
        provisioning.add_variables(settings, database, file, create_plugin_manager())
    return tuple(exposure_remarks(file))


def session(
    name: str, url: str, pg_bin: Path | None, tools: Tools | None = None, *, own: bool = False
) -> Session:
    """A session of a database's, of the programs' own psql where there are some.

    Raises:
        NeonupError: there is no psql on this machine, or the URL cannot be used.
    """
    command = tools.command("psql", url) if tools else psql_command(url, pg_bin, own=own)
    return Session(command, name, place(url))


def place(url: str) -> str:
    """Where a database is: host, port and name, without a role or a password."""
    parsed = urls.parse(url)
    hosts: Sequence[str] = [f"{host.lower()}:{port or 5432}" for host, port in parsed.hosts]
    return f"{','.join(hosts)}/{parsed.dbname or parsed.user or ''}"
