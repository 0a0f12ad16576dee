"""What is known of a database after it was looked at: findings, and a table for each topic."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString

Row = Mapping[str, Any]


@dataclass(frozen=True)
class DatabaseFinding:
    """Something that is worth a look.

    Args:
        topic: the name of the topic that has more of its kind.
        subject: what it is about, e.g. an index; names are quoted as in SQL.
        reason: why it is worth a look, in whole sentences.
        statement: SQL that mends it, for a person to run; None: there is no single one.
        weight: how urgent it is, from 0 to 100; see `weigh`.
    """

    topic: str
    subject: str
    reason: str
    statement: str | None
    weight: float

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Thresholds:
    """From where on something is a finding; what is below it is only in the topic's table.

    Args:
        wait_seconds: how long a session waits for a lock.
        transaction_seconds: how long a transaction is open. Neon ends those that are idle for five
            minutes.
        idle_transaction_seconds: the same where it does nothing meanwhile.
        index_bytes: the size of an index that nobody reads, or that another one covers.
        table_scans: reads of a table, without which its unused indexes say nothing.
        referencing_rows: rows of a table whose foreign key has no index.
        dead_rows: rows that a vacuum would remove.
        dead_ratio: these, as a part of the others; autovacuum comes at 0.2 by default.
        wasted_bytes: empty space in a table or an index, estimated.
        wasted_ratio: the same, as a part of the whole.
        scanned_rows: rows that a sequential scan reads on average.
        scans: sequential scans of a table.
        statement_seconds: how long one statement has run in all.
        statement_share: the same, as a part of all statements' time.
        connections_ratio: used connections, as a part of those that are allowed.
        sequence_ratio: used numbers of a sequence, as a part of those that fit.
        cache_ratio: blocks that were in shared buffers, as a part of all that were asked for.
        read_blocks: blocks that were not, below which the ratio says nothing.
    """

    wait_seconds: float = 1
    transaction_seconds: float = 300
    idle_transaction_seconds: float = 60
    index_bytes: int = 1_000_000
    table_scans: int = 100
    referencing_rows: int = 1_000
    dead_rows: int = 1_000
    dead_ratio: float = 0.4
    wasted_bytes: int = 10_000_000
    wasted_ratio: float = 0.5
    scanned_rows: int = 10_000
    scans: int = 100
    statement_seconds: float = 60
    statement_share: float = 0.3
    connections_ratio: float = 0.8
    sequence_ratio: float = 0.75
    cache_ratio: float = 0.9
    read_blocks: int = 1_000_000


@dataclass(frozen=True)
class ServerFacts:
    """What the topics need to know of the server and of the role that asks.

    Args:
        version: as ``server_version_num`` has it, e.g. 180001.
        role: who asks, quoted as in SQL.
        sees_all: whether it may see what other roles' sessions do.
        hidden_sessions: sessions in this database whose statements it may not see.
        standby: whether this is a read replica, which counts its own reads alone.
        neon: whether it is a compute of Neon's.
        stats_reset: since when statistics are counted; None: since the database was made.
        unreadable_sequences: sequences whose last value the role may not see.
        statements_loaded: whether pg_stat_statements counts.
        statements_schema: where its view is; None: the extension was not created here.
        provider: who created the database: a provider's name, ``user``, or None: unknown.
    """

    version: int
    role: str
    sees_all: bool
    hidden_sessions: int
    standby: bool
    neon: bool
    stats_reset: datetime | None
    unreadable_sequences: int
    statements_loaded: bool
    statements_schema: str | None
    provider: str | None


@dataclass(frozen=True)
class Topic:
    """A group of findings: a question, the query that answers it, and how its rows are judged.

    Args:
        name: as it is typed.
        question: what is answered, for a person.
        query: reads catalogs and statistics alone; ``{statements}`` is pg_stat_statements' view.
        columns: those of the table, in order. An ending says what a number is: ``_bytes``,
            ``_seconds`` or ``_ratio``. The query may have more, for `findings`.
        findings: what of the rows is worth a look.
        notes: what is to be known beside the rows, e.g. what the role may not see.
    """

    name: str
    question: str
    query: LiteralString
    columns: tuple[str, ...]
    findings: Callable[[Sequence[Row], ServerFacts, Thresholds], list[DatabaseFinding]]
    notes: Callable[[Sequence[Row], ServerFacts], list[str]]


@dataclass(frozen=True)
class TopicReport:
    """What one topic's query has answered.

    Args:
        name: the topic's.
        question: what is answered.
        columns: see `Topic`.
        rows: a value for each column; sizes in bytes, times in seconds, shares from 0 to 1.
        notes: what is to be known beside them.
    """

    name: str
    question: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    notes: list[str]


@dataclass(frozen=True)
class DatabaseReport:
    """What was seen of a database.

    Args:
        findings: worst first.
        topics: in the order in which they were asked for.
    """

    findings: list[DatabaseFinding]
    topics: list[TopicReport]

    @property
    def notes(self) -> list[str]:
        """The notes of all topics, each once."""
        return list(dict.fromkeys(note for topic in self.topics for note in topic.notes))


def weigh(urgency: int, amount: float) -> float:
    """A finding's weight: how urgent its kind is, and within it how much there is of it.

    From 90 on, somebody waits; from 70 on, something will stop working; from 40 on, it costs time;
    below, it costs space or is of interest.

    Args:
        urgency: of its kind, a multiple of 10.
        amount: seconds, bytes, rows: what findings of one kind are compared by.
    """
    return round(urgency + min(9.9, math.log10(1 + max(0.0, amount))), 2)


def no_notes(_rows: Sequence[Row], _facts: ServerFacts) -> list[str]:
    """The notes of a topic that has none."""
    return []
