"""Statements that somebody types, and what they answer."""

from __future__ import annotations

from starlette.responses import Response

from neonup import libpq
from neonup_pages import query_box
from neonup_pages.query_box import StatementOutcome
from neonup_studio.server import connections
from neonup_studio.visit import Pages, Visit, does, shows


def routes() -> Pages:
    """The page and its form."""
    return [("GET", "query", shows(_ask)), ("POST", "query", does(_run))]


def _ask(visit: Visit) -> Response:
    return _page(visit, visit.asked("query"), read_only=True)


def _run(visit: Visit) -> Response:
    query = str(visit.fields.get("query") or "").replace("\r\n", "\n")
    read_only = bool(visit.text("read_only"))
    if not read_only:
        visit.check_writable()
    arguments = connections.arguments(visit.place.url, own=visit.place.own)
    with libpq.service_hidden(visit.place.own):
        outcome = query_box.run(arguments, query, read_only=read_only)
    return _page(visit, query, read_only=read_only, outcome=outcome)


def _page(
    visit: Visit, query: str, *, read_only: bool, outcome: StatementOutcome | None = None
) -> Response:
    return visit.show(
        "query.html",
        "query",
        query=query,
        read_only=read_only,
        outcome=outcome,
        rows=query_box.ROWS,
    )
