"""The pages, a module each: what it shows, and the forms on it."""

from __future__ import annotations

from starlette.routing import Route

from neonup_studio.pages import (
    copying,
    edit,
    inspection,
    picture,
    query,
    row,
    rows,
    structure,
    tables,
    tests,
    versions,
)

_ROOMS = (tables, rows, row, structure, copying, edit, query, picture, versions, inspection, tests)
FIRST = "tables"
"""The page of a database that is shown first."""


def routes() -> list[Route]:
    """All of them, below the database that they are about."""
    return [
        Route(f"/{{place}}/{path}", handler, methods=[method])
        for room in _ROOMS
        for method, path, handler in room.routes()
    ]
