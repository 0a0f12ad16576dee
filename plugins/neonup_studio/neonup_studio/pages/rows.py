"""A relation's rows, a page at a time."""

from __future__ import annotations

from collections import defaultdict

from starlette.responses import Response

from neonup_studio.data import row as whole_rows
from neonup_studio.data.filters import Comparison
from neonup_studio.data.ordering import TID, identity
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation
from neonup_studio.data.rows import RowsPage, RowsRequest, ShownRow, page
from neonup_studio.pages import relation_address
from neonup_studio.pages.relation_address import PATH, SIZES, RowsAddress
from neonup_studio.visit import Pages, Visit, shows


def routes() -> Pages:
    """The page."""
    return [("GET", PATH, shows(_rows))]


def _rows(visit: Visit) -> Response:
    pairs = visit.request.query_params.multi_items()
    problem = None
    found = RowsPage([], None, None)
    with visit.connection() as connection:
        relation = relation_address.described(visit, connection, fresh=False)
        address = RowsAddress(visit, relation.name, RowsRequest())
        try:
            address = RowsAddress.read(visit, pairs)
            found = page(connection, relation, address.request)
        except DataProblem as refused:
            problem = refused
    return visit.show(
        "rows.html",
        "tables",
        status=200 if problem is None else 400,
        address=relation_address,
        relation=relation,
        rows=address,
        found=found,
        problem=problem,
        leads=[_leads(visit, relation, row) for row in found.rows],
        keyless=_keyless(relation),
        comparisons=[*Comparison],
        sizes=SIZES,
        writable=relation.writable_kind and visit.place.obstacle is None,
    )


def _keyless(relation: DescribedRelation) -> str | None:
    """What it means for pages that nothing, or only their place, tells rows apart."""
    known_by = identity(relation)
    if not known_by:
        return "Nothing tells its rows apart, so that only the first of them can be shown."
    if known_by == (TID,):
        return (
            "It has no primary key: its rows are shown in the order in which they are stored, and "
            "one that is changed meanwhile may move."
        )
    return None


def _leads(visit: Visit, relation: DescribedRelation, row: ShownRow) -> dict[str, str]:
    """Where foreign keys lead from a row, by the column that is the link."""
    found: dict[str, str] = defaultdict(str)
    for key in relation.references:
        filters = whole_rows.target_of(key, relation, row.cells)
        if filters is not None:
            found.setdefault(key.columns[-1], relation_address.row_by(visit, key.target, filters))
    return found
