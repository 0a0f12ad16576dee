"""Tables and foreign keys as a picture: a schema's, or one table's with its neighbours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial

from starlette.responses import Response

from neonup_studio.data.relation import RelationName
from neonup_studio.pages import relation_address
from neonup_studio.picture.choice import LARGEST, PictureChoice, PictureView, ShownColumns, choose
from neonup_studio.picture.drawing import draw
from neonup_studio.picture.reading import read
from neonup_studio.picture.structure import TableKey, TableName, TableStructure
from neonup_studio.visit import NoSuchPage, Pages, Visit, shows

_EVERY = "yes"
_FIT = "fit"
_ZOOMS = (_FIT, "50", "75", "100", "150")
_COLUMNS = {ShownColumns.ALL: "All columns", ShownColumns.KEYS: "Keys", ShownColumns.NONE: "Names"}


def routes() -> Pages:
    """The page."""
    return [("GET", "picture", shows(_page))]


@dataclass(frozen=True)
class PictureRequest:
    """What the page's address asks for; all of it is optional.

    Args:
        schema: empty: of all schemas, where `every` is so.
        every: all schemas.
        table: of `schema`; it is shown with its neighbours.
        columns: one of `ShownColumns`, or empty: by how many tables there are.
        zoom: one of `_ZOOMS`.
    """

    schema: str
    every: bool
    table: str
    columns: str
    zoom: str

    @property
    def focus(self) -> TableName | None:
        """The table that is shown with its neighbours."""
        return TableName(self.schema, self.table) if self.table else None

    def parameters(self, **other: str) -> dict[str, str]:
        """The address's parameters with others in place of some; an empty one is not there."""
        own = {
            "schema": self.schema,
            "every": _EVERY if self.every else "",
            "table": self.table,
            "columns": self.columns,
            "zoom": "" if self.zoom == "100" else self.zoom,
        }
        return {name: value for name, value in {**own, **other}.items() if value}


def _page(visit: Visit) -> Response:
    with visit.reading() as connection:
        structure = read(connection)
    asked = _asked(visit, structure)
    columns = ShownColumns(asked.columns) if asked.columns else None
    view = choose(
        structure, PictureChoice(None if asked.every else asked.schema, asked.focus, columns)
    )
    if asked.focus is not None and not view.tables:
        raise NoSuchPage(f"There is no table {asked.focus} that a picture would have.")
    return visit.show(
        "picture.html",
        "picture",
        picture=draw(view),
        view=view,
        asked=asked,
        structure=structure,
        words=_words(view),
        zooms=_ZOOMS,
        zoom=0 if asked.zoom == _FIT else int(asked.zoom),
        kinds=_COLUMNS,
        most=LARGEST,
        link=partial(_link, visit, asked),
        page=partial(_table_page, visit),
        focus=partial(_focus, visit, asked),
    )


def _asked(visit: Visit, structure: TableStructure) -> PictureRequest:
    every = visit.asked("every") == _EVERY
    schema = visit.asked("schema") or ("" if every else _first(structure))
    if schema and not visit.asked("table") and schema not in {*structure.schemas, "public"}:
        raise NoSuchPage(f"There is no schema {schema} with tables.")
    columns, zoom = visit.asked("columns"), visit.asked("zoom")
    return PictureRequest(
        schema,
        every,
        visit.asked("table"),
        columns if columns in set(ShownColumns) else "",
        zoom if zoom in _ZOOMS else "100",
    )


def _first(structure: TableStructure) -> str:
    """The schema that is shown first: public, or the one with the most tables."""
    sizes = Counter(table.name.schema for table in structure.tables)
    if "public" in sizes or not sizes:
        return "public"
    return min(sizes, key=lambda schema: (-sizes[schema], schema))


def _link(visit: Visit, asked: PictureRequest, **other: str) -> str:
    """The address of the same page with something else."""
    return visit.path("picture", **asked.parameters(**other))


def _table_page(visit: Visit, name: TableName) -> str:
    """The address of a table's rows."""
    return relation_address.path(visit, RelationName(name.schema, name.name))


def _focus(visit: Visit, asked: PictureRequest, name: TableName) -> str:
    """The address of a table and its neighbours."""
    parameters = asked.parameters(schema=name.schema, table=name.name, every="", columns="")
    return visit.path("picture", **parameters)


def _words(view: PictureView) -> dict[TableName, list[TableKey]]:
    """The foreign keys of each table."""
    found: dict[TableName, list[TableKey]] = {table.name: [] for table in view.tables}
    for key in view.foreign_keys:
        found[key.source].append(key)
    return found
