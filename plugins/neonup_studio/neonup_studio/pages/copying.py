"""Rows as CSV, JSON or INSERT: to be copied from a page, or as a file."""

from __future__ import annotations

from starlette.responses import Response

from neonup_studio.data import export
from neonup_studio.data.export import CopiedRows, CopyFormat, copied
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation
from neonup_studio.pages import relation_address
from neonup_studio.pages.relation_address import PATH, RowsAddress
from neonup_studio.visit import PageRefused, Pages, Visit, does

_SHOWN = 256 * 1024
"""Characters that a page shows; a file has all of them."""
_TYPES = {
    CopyFormat.CSV: "text/csv; charset=utf-8",
    CopyFormat.JSON: "application/json",
    CopyFormat.INSERT: "application/sql; charset=utf-8",
}


def routes() -> Pages:
    """The form below a relation's rows."""
    return [("POST", f"{PATH}/copy", does(_copy))]


def _copy(visit: Visit) -> Response:
    pairs = [(name, str(value)) for name, value in visit.fields.multi_items()]
    known = dict(pairs)
    format_ = known.get("format", "")
    if format_ not in {*CopyFormat}:
        raise PageRefused("Rows are copied as CSV, JSON or INSERT.")
    chosen = [value for name, value in pairs if name == "k"]
    which = known.get("which", "page")
    if which == "chosen" and not chosen:
        raise PageRefused("No row was chosen: go back, and tick some.")
    with visit.connection() as connection:
        relation = relation_address.described(visit, connection)
        try:
            address = RowsAddress.read(visit, pairs)
            rows = copied(
                connection,
                relation,
                address.request,
                CopyFormat(format_),
                keys=chosen if which == "chosen" else None,
                whole_page=which == "page",
            )
        except DataProblem as problem:
            raise PageRefused(str(problem)) from None
    if known.get("as") == "file":
        return _file(relation, rows, CopyFormat(format_), whole=which != "all")
    return visit.show(
        "copied.html",
        "tables",
        address=relation_address,
        relation=relation,
        rows=address,
        copied=rows,
        format=CopyFormat(format_),
        shown=rows.text[:_SHOWN],
        cut=len(rows.text) > _SHOWN,
        which=which,
        pairs=[pair for pair in pairs if pair[0] not in {"csrf", "as"}],
        most=export.ROWS,
    )


def _file(
    relation: DescribedRelation, rows: CopiedRows, format_: CopyFormat, *, whole: bool
) -> Response:
    part = "" if whole or not rows.more else f"-first-{rows.rows}"
    name = f"{relation.name.name}{part}.{format_.value}"
    return relation_address.as_file(rows.text.encode(), name, _TYPES[format_])
