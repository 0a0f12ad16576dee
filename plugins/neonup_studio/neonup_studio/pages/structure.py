"""What a relation is: columns, keys, indexes, constraints, and what it belongs to."""

from __future__ import annotations

from starlette.responses import Response

from neonup_studio.data.description import index_sizes
from neonup_studio.data.overview import relations
from neonup_studio.data.reading import reading
from neonup_studio.pages import relation_address
from neonup_studio.pages.relation_address import PATH
from neonup_studio.visit import Pages, Visit, shows


def routes() -> Pages:
    """The page."""
    return [("GET", f"{PATH}/structure", shows(_structure))]


def _structure(visit: Visit) -> Response:
    with visit.connection() as connection, reading(connection):
        relation = relation_address.described(visit, connection)
        sizes = index_sizes(connection, relation)
        known = {summary.name: summary for summary in relations(connection)}
    return visit.show(
        "structure.html",
        "tables",
        address=relation_address,
        relation=relation,
        summary=known.get(relation.name),
        partitions=[known[name] for name in relation.partitions if name in known],
        sizes=sizes,
        key={column.name for column in relation.key},
        writable=relation.writable_kind and visit.place.obstacle is None,
    )
