"""The list of tables, views and whatever else has rows."""

from __future__ import annotations

from starlette.responses import Response

from neonup_studio.data.overview import SchemaOverview, schemas
from neonup_studio.data.reading import reading
from neonup_studio.pages import relation_address
from neonup_studio.visit import Pages, Visit, shows


def routes() -> Pages:
    """The page."""
    return [("GET", "tables", shows(_tables))]


def _tables(visit: Visit) -> Response:
    search = visit.asked("search").strip()
    with visit.connection() as connection, reading(connection):
        found = schemas(connection)
    return visit.show(
        "tables.html",
        "tables",
        schemas=[_matching(schema, search) for schema in found],
        any_relation=any(schema.relations for schema in found),
        search=search,
        address=relation_address,
    )


def _matching(schema: SchemaOverview, search: str) -> SchemaOverview:
    """What is shown of a schema: partitions only where somebody looks for them."""
    wanted = search.casefold()
    if not wanted:
        return SchemaOverview(schema.name, [one for one in schema.relations if not one.parent])
    return SchemaOverview(
        schema.name,
        [
            one
            for one in schema.relations
            if wanted in f"{one.name.schema}.{one.name.name}".casefold()
        ],
    )
