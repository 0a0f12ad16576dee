"""What a table, a view or anything else with rows is: value types, without any query."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import sql


class RelationKind(enum.StrEnum):
    """What has rows, by its letter in ``pg_class.relkind``."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALIZED = "m"
    FOREIGN = "f"

    @property
    def words(self) -> str:
        """For people."""
        return _KINDS[self]


_KINDS = {
    RelationKind.TABLE: "table",
    RelationKind.PARTITIONED: "partitioned table",
    RelationKind.VIEW: "view",
    RelationKind.MATERIALIZED: "materialized view",
    RelationKind.FOREIGN: "foreign table",
}


@dataclass(frozen=True, order=True)
class RelationName:
    """A schema, and a name in it."""

    schema: str
    name: str

    @property
    def identifier(self) -> sql.Identifier:
        """Quoted, for a statement."""
        return sql.Identifier(self.schema, self.name)

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class RelationSummary:
    """A row of the list of tables.

    Args:
        rows: Postgres's estimate; None: it has none.
        size: bytes on the disk, with indexes and long values; None: there are none of its own, or
            somebody holds a lock on it.
        analyzed: when its statistics were made.
        parent: the table of which it is a partition.
        partitions: how many it has, those of partitions included.
        readable: whether this role may read it.
        extension: that it belongs to.
    """

    name: RelationName
    kind: RelationKind
    rows: int | None
    size: int | None
    analyzed: datetime | None
    comment: str | None
    parent: RelationName | None
    partitions: int
    readable: bool
    extension: str | None


class ValueKind(enum.StrEnum):
    """How a column's values are shown."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    ARRAY = "array"
    BYTES = "bytes"
    VECTOR = "vector"
    TIME = "time"
    ENUM = "enum"
    OTHER = "other"


@dataclass(frozen=True)
class RelationColumn:
    """A column.

    Args:
        number: ``attnum``.
        type: as Postgres writes it, e.g. ``character varying(20)``.
        base: the type that values are cast to for comparisons: a domain's own, without a length.
        kind: how values are shown.
        fixed: whether its values have a fixed size, so that none is long.
        nullable: whether it can be NULL.
        default: the expression; None: there is none.
        identity: ``always``, ``by default`` or empty.
        generated: the expression of a generated column; None: it is none.
        order_schema: of the operators that compare its values; None: they have no order.
        labels: of an enum.
        limit: characters that it takes at most, where its type says so.
    """

    number: int
    name: str
    type: str
    base: str
    kind: ValueKind
    fixed: bool
    nullable: bool
    default: str | None
    identity: str
    generated: str | None
    comment: str | None
    collation: str | None
    order_schema: str | None
    labels: tuple[str, ...]
    limit: int | None

    @property
    def identifier(self) -> sql.Identifier:
        """Quoted, for a statement."""
        return sql.Identifier(self.name)

    @property
    def assignable(self) -> bool:
        """Whether a row can be given a value for it."""
        return self.generated is None and self.identity != "always"


@dataclass(frozen=True)
class RelationIndex:
    """An index.

    Args:
        keys: its columns' names in order; an empty one stands for an expression.
        pages_rows: whether each row has another value in it, none of them NULL, in the columns'
            own order.
    """

    name: str
    definition: str
    method: str
    primary: bool
    unique: bool
    valid: bool
    keys: tuple[str, ...]
    pages_rows: bool


@dataclass(frozen=True)
class RelationConstraint:
    """A constraint that is no foreign key."""

    name: str
    kind: str
    definition: str
    valid: bool
    columns: tuple[str, ...]


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: columns of one table, which are those of a row of another.

    Args:
        columns: of `table`.
        targets: of `target`, in the same order.
    """

    name: str
    table: RelationName
    columns: tuple[str, ...]
    target: RelationName
    targets: tuple[str, ...]
    definition: str


@dataclass(frozen=True)
class DescribedRelation:
    """All that the catalogs know of a relation.

    Args:
        heap: whether its rows have a place in a file of its own, by which they can be told apart.
        children: whether other tables inherit from it, no partitions.
        row_security: whether policies hide rows.
        query: a view's.
        partition_key: of a partitioned table.
        bound: of a partition.
        server: of a foreign table.
    """

    oid: int
    name: RelationName
    kind: RelationKind
    comment: str | None
    heap: bool
    children: bool
    row_security: bool
    rows: int | None
    query: str | None
    partition_key: str | None
    bound: str | None
    parent: RelationName | None
    server: str | None
    columns: tuple[RelationColumn, ...]
    indexes: tuple[RelationIndex, ...]
    constraints: tuple[RelationConstraint, ...]
    references: tuple[ForeignKey, ...]
    referrers: tuple[ForeignKey, ...]
    partitions: tuple[RelationName, ...] = field(default=())

    def column(self, name: str) -> RelationColumn | None:
        """A column by its name."""
        return next((column for column in self.columns if column.name == name), None)

    def named(self, names: Sequence[str]) -> tuple[RelationColumn, ...]:
        """Columns by their names, in that order."""
        by_name = {column.name: column for column in self.columns}
        return tuple(by_name[name] for name in names)

    @property
    def key(self) -> tuple[RelationColumn, ...]:
        """The columns by which a row is known: the primary key's, a unique index's, or none."""
        able = [index for index in self.indexes if index.pages_rows]
        able.sort(key=lambda index: (not index.primary, len(index.keys), index.name))
        return self.named(able[0].keys) if able else ()

    @property
    def source(self) -> sql.Composable:
        """What stands behind FROM: of a table that others inherit from, its own rows."""
        return (
            sql.SQL("ONLY {}").format(self.name.identifier)
            if self.children
            else (self.name.identifier)
        )

    @property
    def writable_kind(self) -> bool:
        """Whether it is a table, whose rows can be changed where they have a key."""
        return self.kind in {RelationKind.TABLE, RelationKind.PARTITIONED}
