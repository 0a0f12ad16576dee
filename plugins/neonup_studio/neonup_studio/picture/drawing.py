"""The picture: what the template draws, in pixels and in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from neonup_studio.picture.boxes import TableBox, box
from neonup_studio.picture.choice import PictureView
from neonup_studio.picture.layout.component import Point
from neonup_studio.picture.layout.graph import BoxLink, Shape
from neonup_studio.picture.layout.placing import BoxPlace, lay_out
from neonup_studio.picture.strokes import bracket, foot, head, rounded
from neonup_studio.picture.structure import SchemaTable, TableKey, TableName

COLOURS = 6
"""As many tables have a colour, for the lines to them: those to which the most others lead."""
_HUB = 3
"""A table with a colour has at least as many others that lead to it."""
EDGE = 14.0
"""Room around the picture."""


@dataclass(frozen=True)
class DrawnTable:
    """A table's box, and where it is.

    Args:
        colour: the number of its lines' colour; None: they are plain.
        focused: whether it is the one in focus.
        elsewhere: whether it is of another schema than the one that was chosen.
    """

    box: TableBox
    x: float
    y: float
    width: float
    colour: int | None
    focused: bool
    elsewhere: bool

    @property
    def table(self) -> SchemaTable:
        """The table."""
        return self.box.table


@dataclass(frozen=True)
class KeyLine:
    """A foreign key's line.

    Args:
        way: the path from its columns to those to which they lead, with the mark at its beginning.
        head: the path of the arrow's head at its end.
        brackets: the path that holds rows together where several columns are one key; or empty.
        words: what it says.
    """

    key: TableKey
    way: str
    head: str
    brackets: str
    colour: int | None
    words: str


@dataclass(frozen=True)
class Picture:
    """All of it.

    Args:
        loose: where tables without foreign keys begin, if others are above them.
        corners: each line's corners, from its beginning to its end.
    """

    tables: list[DrawnTable]
    lines: list[KeyLine]
    width: float
    height: float
    loose: float | None
    corners: list[list[Point]]


def draw(view: PictureView) -> Picture:
    """Draw tables and foreign keys; the same ones always look the same."""
    boxes = _boxes(view)
    places = {table.name: index for index, table in enumerate(view.tables)}
    links = [
        BoxLink(
            places[key.source],
            boxes[places[key.source]].y_of(key.columns[0]),
            places[key.target],
            boxes[places[key.target]].y_of(key.target_columns[0]),
        )
        for key in view.foreign_keys
    ]
    layout = lay_out([Shape(each.width, each.height) for each in boxes], links)
    colours = _colours(view.foreign_keys)
    corners = [[(x + EDGE, y + EDGE) for x, y in way] for way in layout.ways]
    tables = [
        _drawn(each, place, view, colours) for each, place in zip(boxes, layout.places, strict=True)
    ]
    lines = [
        _line(key, way, tables[places[key.source]], tables[places[key.target]])
        for key, way in zip(view.foreign_keys, corners, strict=True)
    ]
    loose = None if layout.loose is None else layout.loose + EDGE
    return Picture(tables, lines, layout.width + 2 * EDGE, layout.height + 2 * EDGE, loose, corners)


def _boxes(view: PictureView) -> list[TableBox]:
    foreign: dict[TableName, set[str]] = defaultdict(set)
    led_to: dict[TableName, set[str]] = defaultdict(set)
    for key in view.foreign_keys:
        foreign[key.source].update(key.columns)
        led_to[key.target].update(key.target_columns)
    several = len({table.name.schema for table in view.tables} - {"public"}) > 0
    return [
        box(
            table,
            view.columns,
            foreign=foreign[table.name],
            led_to=led_to[table.name],
            full_name=several,
        )
        for table in view.tables
    ]


def _drawn(
    each: TableBox, place: BoxPlace, view: PictureView, colours: dict[TableName, int]
) -> DrawnTable:
    name = each.table.name
    return DrawnTable(
        each,
        place.x + EDGE,
        place.y + EDGE,
        place.width,
        colours.get(name),
        name == view.focus,
        name in view.elsewhere,
    )


def _colours(keys: Sequence[TableKey]) -> dict[TableName, int]:
    leading: dict[TableName, set[TableName]] = defaultdict(set)
    for key in keys:
        leading[key.target].add(key.source)
    hubs = [name for name, others in leading.items() if len(others) >= _HUB]
    hubs.sort(key=lambda name: (-len(leading[name]), name))
    return {name: colour for colour, name in enumerate(hubs[:COLOURS])}


def _line(
    key: TableKey, corners: Sequence[Point], source: DrawnTable, target: DrawnTable
) -> KeyLine:
    way = rounded(corners) + foot(corners, unique=key.unique)
    brackets = ""
    for drawn, columns, edge in (
        (source, key.columns, corners[0][0]),
        (target, key.target_columns, corners[-1][0]),
    ):
        rows = sorted({drawn.y + drawn.box.y_of(column) for column in columns})
        if len(rows) > 1:
            brackets += bracket(edge, rows, rightwards=edge <= drawn.x)
    return KeyLine(key, way, head(corners), brackets, target.colour, words(key))


def words(key: TableKey) -> str:
    """A foreign key in words, by columns."""
    columns, target_columns = (", ".join(each) for each in (key.columns, key.target_columns))
    source, target = _short(key.source), _short(key.target)
    return f"{source} ({columns}) → {target} ({target_columns})"


def _short(name: TableName) -> str:
    return name.name if name.schema == "public" else str(name)
