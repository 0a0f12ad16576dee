"""A relation's columns, keys, indexes, constraints and foreign keys, in one query."""

from __future__ import annotations

import time
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.rows import namedtuple_row

from neonup_studio.data.catalog_queries import DESCRIPTION, FINGERPRINT, INDEX_SIZES
from neonup_studio.data.problem import DataProblem, as_problem
from neonup_studio.data.reading import reading
from neonup_studio.data.relation import (
    DescribedRelation,
    ForeignKey,
    RelationColumn,
    RelationConstraint,
    RelationIndex,
    RelationKind,
    RelationName,
    ValueKind,
)

_BY_TYPE = {
    "json": ValueKind.JSON,
    "jsonb": ValueKind.JSON,
    "bytea": ValueKind.BYTES,
    "vector": ValueKind.VECTOR,
    "halfvec": ValueKind.VECTOR,
    "sparsevec": ValueKind.VECTOR,
}
_BY_CATEGORY = {
    "A": ValueKind.ARRAY,
    "B": ValueKind.BOOLEAN,
    "D": ValueKind.TIME,
    "E": ValueKind.ENUM,
    "N": ValueKind.NUMBER,
    "S": ValueKind.TEXT,
    "T": ValueKind.TIME,
}
_NO_NUMBERS = frozenset({"money"})
"""Of the category of numbers, but not written as one."""
_LENGTHS = frozenset({"varchar", "bpchar"})
_HEAD = 4
"""What ``atttypmod`` adds to a length."""
_IDENTITIES = {"a": "always", "d": "by default"}
_CONSTRAINTS = {
    "p": "primary key",
    "u": "unique",
    "c": "check",
    "x": "exclusion",
    "n": "not null",
    "t": "trigger",
}


def describe(connection: Connection[Any], name: RelationName) -> DescribedRelation:
    """A relation, as the catalogs know it now.

    Raises:
        DataProblem: there is none of that name, somebody has locked it, or the catalogs cannot be
            read.
    """
    try:
        with reading(connection), connection.cursor(row_factory=namedtuple_row) as cursor:
            row: Any = cursor.execute(DESCRIPTION, [name.schema, name.name]).fetchone()
    except psycopg.Error as error:
        raise as_problem(error) from None
    if row is None:
        raise DataProblem(
            f"There is no table or view {name}.", remedy="It may have been renamed or dropped."
        )
    return DescribedRelation(
        oid=row.oid,
        name=name,
        kind=RelationKind(row.kind),
        comment=row.comment,
        heap=bool(row.heap),
        children=row.children,
        row_security=row.row_security,
        rows=row.rows,
        query=row.query,
        partition_key=row.partition_key,
        bound=row.bound,
        parent=None if row.parent is None else RelationName(*row.parent),
        server=row.server,
        columns=tuple(map(_column, row.columns or ())),
        indexes=tuple(map(_index, row.indexes or ())),
        constraints=tuple(map(_constraint, row.constraints or ())),
        references=tuple(map(_foreign_key, row.references or ())),
        referrers=tuple(map(_foreign_key, row.referrers or ())),
        partitions=tuple(RelationName(*part) for part in row.partitions or ()),
    )


def index_sizes(connection: Connection[Any], relation: DescribedRelation) -> dict[str, int]:
    """Bytes of a table's indexes, by name; without those that somebody has locked.

    Raises:
        psycopg.Error: the catalogs cannot be read.
    """
    return dict(connection.execute(INDEX_SIZES, [relation.oid]).fetchall())


class KnownRelations:
    """Descriptions that were read a moment ago, of the databases of one process.

    Whether a description is still true, a small query says. It does not look at comments, enums and
    the names of other tables, so that none is believed for longer than `SECONDS`.
    """

    SECONDS = 10.0
    _MOST = 200

    def __init__(self) -> None:
        self._known: dict[tuple[str, RelationName], tuple[object, float, DescribedRelation]] = {}

    def describe(
        self, connection: Connection[Any], database: str, name: RelationName
    ) -> DescribedRelation:
        """As `describe`.

        Args:
            database: tells this one from others.

        Raises:
            DataProblem: as `describe`.
        """
        try:
            found = connection.execute(FINGERPRINT, [name.schema, name.name]).fetchone()
        except psycopg.Error as error:
            raise as_problem(error) from None
        now, key = time.monotonic(), (database, name)
        known = self._known.get(key)
        if known is not None and known[0] == found and now - known[1] < self.SECONDS:
            return known[2]
        described = describe(connection, name)
        if len(self._known) >= self._MOST:
            self._known.clear()
        self._known[key] = (found, now, described)
        return described


def _column(found: dict[str, Any]) -> RelationColumn:
    plain, category = found["plain"], found["category"]
    kind = _BY_TYPE.get(plain) or _BY_CATEGORY.get(category, ValueKind.OTHER)
    if plain in _NO_NUMBERS or (found["typtype"] == "b" and plain.startswith("reg")):
        kind = ValueKind.OTHER
    limited = plain in _LENGTHS and found["typmod"] >= _HEAD
    return RelationColumn(
        number=found["number"],
        name=found["name"],
        type=found["type"],
        base=found["base"],
        kind=kind,
        fixed=found["fixed"],
        nullable=found["nullable"],
        default=found["default"] or found["domain_default"],
        identity=_IDENTITIES.get(found["identity"], ""),
        generated=found["generated"],
        comment=found["comment"],
        collation=found["collation"],
        order_schema=found["order"],
        labels=tuple(found["labels"] or ()),
        limit=found["typmod"] - _HEAD if limited else None,
    )


def _index(found: dict[str, Any]) -> RelationIndex:
    return RelationIndex(**{**found, "keys": tuple(found["keys"])})


def _constraint(found: dict[str, Any]) -> RelationConstraint:
    return RelationConstraint(
        found["name"],
        _CONSTRAINTS.get(found["kind"], found["kind"]),
        found["definition"],
        found["valid"],
        tuple(found["columns"] or ()),
    )


def _foreign_key(found: dict[str, Any]) -> ForeignKey:
    return ForeignKey(
        found["name"],
        RelationName(*found["table"]),
        tuple(found["columns"]),
        RelationName(*found["target"]),
        tuple(found["targets"]),
        found["definition"],
    )
