"""A table as a box: its rows, and how much room their words take."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from unicodedata import east_asian_width

from neonup_studio.picture.choice import ShownColumns
from neonup_studio.picture.structure import SchemaTable, TableColumn

HEAD = 32.0
ROW = 20.0
FOOT = 20.0
PADDING = 5.0
"""Heights of the parts, in pixels; the padding is above the first and below the last row."""

NAME_AT = 28.0
"""Where a column's name begins; the mark of its key is before it."""
SIDE = 12.0
_MARK = 26.0
"""The room that the link to a table's neighbours takes, behind its name."""
_BETWEEN = 14.0
_MONO = 7.25
_MONO_SMALL = 6.65
"""Widths of a letter at 12 and 11 pixels; monospaced fonts differ by little."""
_NARROWEST = 132.0

_LONGEST_NAME = 36
_LONGEST_TYPE = 22
_MOST_ROWS = 60
"""A table with more columns shows its keys' and its first ones."""

_SHORTER = (
    ("timestamp with time zone", "timestamptz"),
    ("timestamp without time zone", "timestamp"),
    ("time with time zone", "timetz"),
    ("time without time zone", "time"),
    ("character varying", "varchar"),
    ("character", "char"),
    ("double precision", "float8"),
)


@dataclass(frozen=True)
class BoxRow:
    """A column's row.

    Args:
        y: its middle, from the box's top.
        name: cut if it is very long.
        type: as short as Postgres takes it.
        key: ``primary``, ``foreign``, or empty.
    """

    y: float
    column: TableColumn
    name: str
    type: str
    key: str


@dataclass(frozen=True)
class TableBox:
    """A table's box.

    Args:
        title: the table's name, with its schema where that is not clear.
        more: how many columns are not shown.
    """

    table: SchemaTable
    title: str
    rows: tuple[BoxRow, ...]
    more: int
    width: float
    height: float

    def y_of(self, column: str) -> float:
        """Where a column's lines begin and end: at its row, or the title if it has none."""
        return next((row.y for row in self.rows if row.column.name == column), HEAD / 2)


def box(
    table: SchemaTable,
    columns: ShownColumns,
    *,
    foreign: Collection[str],
    led_to: Collection[str],
    full_name: bool,
) -> TableBox:
    """Make a table's box.

    Args:
        foreign: the columns that lead to others.
        led_to: the columns to which others lead.
        full_name: whether the title has the schema.
    """
    shown = _shown(table, columns, {*foreign, *led_to})
    rows = tuple(
        BoxRow(
            HEAD + PADDING + ROW * (index + 0.5),
            column,
            short(column.name, _LONGEST_NAME),
            short(_type(column.type), _LONGEST_TYPE),
            "primary" if column.primary else "foreign" if column.name in foreign else "",
        )
        for index, column in enumerate(shown)
    )
    title = short(str(table.name) if full_name else table.name.name, _LONGEST_NAME)
    more = 0 if columns is ShownColumns.NONE else len(table.columns) - len(rows)
    height = HEAD + (2 * PADDING + ROW * len(rows) if rows else 0) + (FOOT if more else 0)
    return TableBox(table, title, rows, more, _width(title, rows), height)


def short(text: str, longest: int) -> str:
    """The text, cut if it has more letters than that."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _shown(table: SchemaTable, columns: ShownColumns, keys: Collection[str]) -> list[TableColumn]:
    if columns is ShownColumns.NONE:
        return []
    important = [each for each in table.columns if each.primary or each.name in keys]
    if columns is ShownColumns.KEYS:
        return important
    room = max(0, _MOST_ROWS - len(important))
    others = [each for each in table.columns if each not in important][:room]
    return [each for each in table.columns if each in important or each in others]


def _type(name: str) -> str:
    for long, shorter in _SHORTER:
        # A time's precision is in the middle of its name.
        first, _, rest = long.partition(" ")
        precision, found, after = name.partition(f") {rest}")
        if rest and found and precision.startswith(f"{first}("):
            return f"{shorter}{precision[len(first) :]}){after}"
        if name == long or name.startswith((f"{long}(", f"{long}[")):
            return shorter + name[len(long) :]
    return name


def _width(title: str, rows: Collection[BoxRow]) -> float:
    widths = [
        NAME_AT + _letters(row.name) * _MONO + _BETWEEN + _letters(row.type) * _MONO_SMALL + SIDE
        for row in rows
    ]
    return round(max(_NARROWEST, SIDE + _title(title) + _MARK + SIDE, *widths, 0.0))


def _letters(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _title(text: str) -> float:
    """About the width of a bold title of 13.5 pixels; system fonts differ."""
    return sum(
        15.0
        if east_asian_width(letter) in "WF"
        else 12.5
        if letter in "mwMW@%…"
        else 5.0
        if letter in "iljtfr.,:;|!' "
        else 10.5
        if letter.isupper()
        else 8.6
        for letter in text
    )
