"""Which tables the picture has: a schema's, or one table's and its neighbours'."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from neonup_studio.picture.structure import SchemaTable, TableKey, TableName, TableStructure

LARGEST = 300
"""More tables than that are not drawn at once: those with the most foreign keys are."""
FEW = 12
"""Up to as many tables are drawn with all columns, unless something else is asked for."""
MANY = 100
"""More tables than that are drawn by name alone, unless something else is asked for."""


class ShownColumns(StrEnum):
    """Which columns are shown: all, those of primary and foreign keys, or none."""

    ALL = "all"
    KEYS = "keys"
    NONE = "none"


@dataclass(frozen=True)
class PictureChoice:
    """What somebody wants to see.

    Args:
        schema: one schema's tables, and those of others that keys connect with them; None: all.
        focus: this table and its neighbours, whichever schema they are in.
        columns: None: by how many tables there are.
    """

    schema: str | None = None
    focus: TableName | None = None
    columns: ShownColumns | None = None


@dataclass(frozen=True)
class PictureView:
    """What is shown.

    Args:
        tables: by name.
        foreign_keys: those between them.
        focus: the table in the middle of it, if one is.
        elsewhere: tables of other schemas than the one that was chosen.
        columns: which of them are shown.
        left_out: the tables that are not there, since there are too many, by name.
    """

    tables: tuple[SchemaTable, ...]
    foreign_keys: tuple[TableKey, ...]
    focus: TableName | None
    elsewhere: frozenset[TableName]
    columns: ShownColumns
    left_out: tuple[TableName, ...] = ()


def choose(structure: TableStructure, choice: PictureChoice) -> PictureView:
    """Choose the tables and foreign keys to show; a focus that does not exist shows none."""
    if choice.focus is not None:
        named = _neighbourhood(structure, choice.focus)
        inner = named
    else:
        inner = {
            table.name for table in structure.tables if choice.schema in {None, table.name.schema}
        }
        named = {*inner, *_connected(structure, inner)}
    kept = _most_connected(structure, named)
    tables = tuple(table for table in structure.tables if table.name in kept)
    foreign_keys = tuple(
        key
        for key in structure.foreign_keys
        if {key.source, key.target} <= kept and not inner.isdisjoint((key.source, key.target))
    )
    return PictureView(
        tables,
        foreign_keys,
        choice.focus,
        frozenset(kept - set(inner)),
        choice.columns or _by_number(len(tables)),
        tuple(sorted(named - kept)),
    )


def _neighbourhood(structure: TableStructure, focus: TableName) -> set[TableName]:
    known = {table.name for table in structure.tables}
    return ({focus} & known) | _connected(structure, {focus})


def _connected(structure: TableStructure, names: Collection[TableName]) -> set[TableName]:
    """Where foreign keys from or to these tables lead."""
    return {
        name
        for key in structure.foreign_keys
        if key.source in names or key.target in names
        for name in (key.source, key.target)
    }


def _most_connected(structure: TableStructure, names: set[TableName]) -> set[TableName]:
    if len(names) <= LARGEST:
        return names
    keys = Counter(
        name
        for key in structure.foreign_keys
        if {key.source, key.target} <= names
        for name in {key.source, key.target}
    )
    return set(sorted(names, key=lambda name: (-keys[name], name))[:LARGEST])


def _by_number(tables: int) -> ShownColumns:
    if tables <= FEW:
        return ShownColumns.ALL
    return ShownColumns.KEYS if tables <= MANY else ShownColumns.NONE
