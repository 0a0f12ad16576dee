"""The pages, a module each: what it shows, and the forms on it."""

from __future__ import annotations

from starlette.routing import Route

from neonup_studio.pages import inspection, picture, query, tests, versions

FIRST = "query"
"""The page of a database that is shown first."""


def routes() -> list[Route]:
    """All of them, below the database that they are about."""
    return [
        Route(f"/{{place}}/{path}", handler, methods=[method])
        for room in (query, picture, versions, inspection, tests)
        for method, path, handler in room.routes()
    ]
