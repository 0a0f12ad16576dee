"""Everything of one database into another, in one transaction of the target."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from neonup.plugin import commands, progress
from neonup_cloud.move import contents
from neonup_cloud.move.contents import ServerContents, Table
from neonup_cloud.move.dump import Dump
from neonup_cloud.move.errors import MoveError
from neonup_cloud.move.masks import MaskedTable
from neonup_cloud.move.session import Session
from neonup_cloud.move.tools import Tools

_COPY = re.compile(rb"^COPY (?P<table>[^\n]+?) \((?:[^\n]*)\) FROM stdin;$", re.M)
_COPY_END = b") FROM stdin;"
_LOCKED_SECONDS = 15
"""How long to wait for those who use what is to be removed."""

_SHOWN = 10


@dataclass
class SourceSnapshot:
    """The source at one moment, in a read-only transaction that holds it.

    Args:
        session: the transaction.
        tools: the programs that read it.
        url: the source, past a pooler.
        server: what it is like.
        tables: the tables whose rows are moved.
        rows: how many each of them has, by its quoted name.
    """

    session: Session
    tools: Tools
    url: str
    server: ServerContents
    tables: list[Table]
    rows: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, tools: Tools, url: str) -> SourceSnapshot:
        """Begin the transaction and look around.

        Raises:
            MoveError: the source cannot be read.
        """
        session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;")
        server, tables = contents.server(session), contents.tables(session)
        return cls(session, tools, url, server, tables)

    def count(self) -> None:
        """Count the rows."""
        self.rows = contents.count(self.session, self.tables)

    def dump(self) -> Dump:
        """The same moment for pg_dump."""
        name = self.session.value("pg_catalog.pg_export_snapshot()")
        return Dump(self.tools, self.url, self.session.name, name)

    def has_large_objects(self) -> bool:
        """Whether there are any."""
        query = "EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)"
        return bool(self.session.value(query))


@dataclass
class Transfer:
    """One transaction that fills a target.

    Args:
        source: what is read.
        target: a session of the target.
        target_server: the target's server.
        masked: the tables whose rows are masked on the way.
    """

    source: SourceSnapshot
    target: Session
    target_server: ServerContents
    masked: Sequence[MaskedTable] = ()
    _table: str = field(default="", init=False)
    _rows: int = field(default=0, init=False)
    _size: int = field(default=0, init=False)

    def run(self, *, clear: bool, begun: Callable[[str], None] = lambda xid: None) -> None:
        """Fill the target, count its rows, and commit.

        Args:
            clear: whether to remove what is in the target first.
            begun: called with the transaction's number before anything is changed.

        Raises:
            MoveError: it failed; the target is as it was.
        """
        with progress.work("Counting the rows"):
            self.source.count()
        self.target.run("BEGIN;")
        begun(str(self.target.value("pg_catalog.pg_current_xact_id()::text")))
        if clear:
            with progress.work("Removing what is in the target"):
                clearing = contents.clearing(self.target)
                self.target.run(f"SET LOCAL lock_timeout = '{_LOCKED_SECONDS}s';\n{clearing}")
        dump = self.source.dump()
        with progress.work("Creating the tables"):
            self.target.run(dump.schema("pre-data", self.target_server))
        with progress.work("Moving the rows", self._how_far):
            self._fill(dump)
        with progress.work("Creating indexes and constraints"):
            self.target.run(dump.schema("post-data", self.target_server))
        with progress.work("Comparing the rows"):
            compare(self.source.rows, contents.count(self.target, self.source.tables))
        self._note()
        self.target.run("COMMIT;")
        with progress.work("Collecting statistics for the planner"):
            self.target.run("ANALYZE;")

    def _fill(self, dump: Dump) -> None:
        self.target.write(f"\\o {os.devnull}\n".encode())
        self._pump(dump.rows([masked.table for masked in self.masked], self.target_server))
        for masked in self.masked:
            head = f"COPY {masked.table.quoted} ({masked.columns}) FROM stdin;\n".encode()
            self.target.write(head)
            self._table = masked.table.quoted
            self._pump(self.source.session.copy_out(masked.query))
        if self.source.has_large_objects():
            self._pump(dump.large_objects(self.target_server))
        self.target.write(b"\\o\n")
        self.target.wait()

    def _pump(self, chunks: Generator[bytes, None, None]) -> None:
        with closing(chunks):  # ends what writes them where they cannot be taken
            for chunk in chunks:
                self.target.write(chunk)
                # The pattern alone looks at each byte, which takes 5 s for a GiB.
                if _COPY_END in chunk and (copies := [*_COPY.finditer(chunk)]):
                    self._table = copies[-1]["table"].decode()
                self._rows += chunk.count(b"\n")
                self._size += len(chunk)

    def _how_far(self) -> progress.HowFar:
        """A dump's few lines of SQL are taken for rows: it is only for looking at."""
        total = sum(self.source.rows.values())
        rows = min(self._rows, total)
        words = f"{rows:,} of {total:,} rows, {commands.size(self._size)}, {self._table}"
        return progress.HowFar(rows, total, words)

    def _note(self) -> None:
        """Take along which scripts ran: neonup notes that in the database's comment."""
        text = self.source.server.comment
        if text and self.target_server.owns_database and not self.target_server.comment:
            quoted = text.replace("'", "''")
            name = self.target_server.database.replace('"', '""')
            self.target.run(f"COMMENT ON DATABASE \"{name}\" IS '{quoted}';")


def compare(source_rows: dict[str, int], target_rows: dict[str, int]) -> None:
    """Make sure that every table has as many rows in both.

    Raises:
        MoveError: one has not; it names those that differ.
    """
    different = list(_differences(source_rows, target_rows))
    if different:
        more = [f"and {len(different) - _SHOWN} more"] if len(different) > _SHOWN else []
        raise MoveError(
            "The rows in the target are not as many as in the source: nothing was kept.",
            checked=[*different[:_SHOWN], *more],
            remedy="Look for triggers or rules that add or drop rows, then run it again.",
        )


def _differences(source_rows: dict[str, int], target_rows: dict[str, int]) -> Iterator[str]:
    for name, rows in source_rows.items():
        in_target = target_rows.get(name)
        if in_target != rows:
            yield f"{name}: {rows} rows in the source, {in_target} in the target"
