"""One row, whole: its values, where its foreign keys lead, and what refers to it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from neonup_studio.data import row as whole_rows
from neonup_studio.data.cells import CellValue
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation, ForeignKey, RelationColumn, ValueKind
from neonup_studio.data.row import WholeRow
from neonup_studio.pages import json_levels, relation_address
from neonup_studio.pages.relation_address import PATH
from neonup_studio.server.connections import Connection
from neonup_studio.visit import NoSuchPage, PageRefused, Pages, Visit, shows


def routes() -> Pages:
    """The page, and one value of it as a file."""
    return [("GET", f"{PATH}/row", shows(_row)), ("GET", f"{PATH}/value", shows(_value))]


@dataclass(frozen=True)
class ShownValue:
    """A column of the row, as the page shows it.

    Args:
        text: written so that it can be read, e.g. JSON with its levels.
        about: what there is to say of it, e.g. how large it is.
        leads: the foreign keys that begin with it, with the address of the row they lead to.
    """

    column: RelationColumn
    cell: CellValue
    text: str
    about: str
    leads: list[tuple[ForeignKey, str]]


def _row(visit: Visit) -> Response:
    with visit.connection() as connection:
        relation = relation_address.described(visit, connection, fresh=False)
        row = found_row(visit, connection, relation)
        referring = whole_rows.referring(connection, relation, row)
    return visit.show(
        "row.html",
        "tables",
        address=relation_address,
        relation=relation,
        row=row,
        values=_values(visit, relation, row),
        referring=referring,
        counted=whole_rows.COUNTED,
        placed=whole_rows.placed(relation),
        writable=relation.writable_kind and bool(relation.key) and visit.place.obstacle is None,
    )


def found_row(visit: Visit, connection: Connection, relation: DescribedRelation) -> WholeRow:
    """The row that an address names, by its key or by filters.

    Raises:
        NoSuchPage: it is not there any more.
        PageRefused: it names none.
    """
    try:
        if key := visit.asked("key"):
            row = whole_rows.by_key(connection, relation, key)
        else:
            pairs = visit.request.query_params.multi_items()
            filters = relation_address.read_filters(pairs)
            if not filters:
                raise NoSuchPage("The address names no row.")
            row = whole_rows.by_filters(connection, relation, filters)
    except DataProblem as problem:
        raise PageRefused(str(problem)) from None
    if row is None:
        raise NoSuchPage(f"This row of {relation.name} is not there any more.")
    return row


def _values(visit: Visit, relation: DescribedRelation, row: WholeRow) -> list[ShownValue]:
    leads: dict[str, list[tuple[ForeignKey, str]]] = {}
    for key in relation.references:
        filters = whole_rows.target_of(key, relation, row.cells)
        if filters is not None:
            lead = (key, relation_address.row_by(visit, key.target, filters))
            leads.setdefault(key.columns[0], []).append(lead)
    return [
        ShownValue(column, cell, *_written(column, cell), leads.get(column.name, []))
        for column, cell in zip(relation.columns, row.cells, strict=True)
    ]


def _written(column: RelationColumn, cell: CellValue) -> tuple[str, str]:
    """A value so that it can be read, and what there is to say of it."""
    text = cell.text or ""
    if cell.null:
        return "", ""
    if column.kind is ValueKind.BYTES:
        return _in_lines(text.removeprefix("\\x")), f"{cell.size or 0:,} bytes"
    if cell.cut:
        return text, "the beginning"
    if column.kind is ValueKind.JSON:
        return json_levels.indented(text), ""
    if column.kind is ValueKind.VECTOR and text.startswith("["):
        return text, f"{text.count(',') + 1:,} dimensions"
    if column.kind is ValueKind.TEXT and len(text) > 80:
        return text, f"{len(text):,} characters"
    return text, ""


def _in_lines(digits: str) -> str:
    """Hex digits, 16 bytes a line."""
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    return "\n".join(" ".join(pairs[at : at + 16]) for at in range(0, len(pairs), 16))


def _value(visit: Visit) -> Response:
    """A value as a file, whole."""
    name = visit.asked("column")
    with visit.connection() as connection:
        relation = relation_address.described(visit, connection)
        try:
            content = whole_rows.value_bytes(connection, relation, visit.asked("key"), name)
        except DataProblem as problem:
            raise PageRefused(str(problem)) from None
    if content is None:
        raise NoSuchPage("There is no such value.")
    column = relation.column(name)
    binary = column is not None and column.kind is ValueKind.BYTES
    return relation_address.as_file(
        content,
        f"{relation.name.name}-{name}.{'bin' if binary else 'txt'}",
        "application/octet-stream" if binary else "text/plain; charset=utf-8",
    )
