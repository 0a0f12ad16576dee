"""The query box."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from neonup_emulator.api.web import reach
from neonup_emulator.api.web.visit import ConsoleVisit, does, show, shows
from neonup_emulator.neon.accounts.project_access import Level
from neonup_pages import query_box
from neonup_pages.query_outcome import StatementOutcome

_PATH = "/projects/{project_id}/query"
_FIRST = """\
SELECT schemaname AS schema, relname AS name, n_live_tup AS rows
FROM pg_stat_user_tables
ORDER BY 1, 2"""


def routes() -> list[Route]:
    """The page and its form."""
    return [
        Route(_PATH, shows(_ask, least=Level.EDITOR), methods=["GET"]),
        Route(_PATH, does(_run, back=_PATH), methods=["POST"]),
    ]


def _ask(visit: ConsoleVisit) -> Response:
    place = reach.place(visit, branch=visit.asked("branch"), database=visit.asked("database"))
    return _page(visit, place, _FIRST, read_only=True, outcome=None)


def _run(visit: ConsoleVisit) -> Response:
    """Run the query as the owner of the database."""
    place = reach.place(visit, branch=visit.text("branch"), database=visit.text("database"))
    query = str(visit.fields.get("query") or "").replace("\r\n", "\n")
    read_only = bool(visit.text("read_only"))
    if place.url is None or place.endpoint is None:
        return _page(visit, place, query, read_only=read_only, outcome=None)
    arguments = {
        "conninfo": place.url,
        "hostaddr": visit.neon.addresses.from_here(place.endpoint),
        "connect_timeout": 30,
        "application_name": "neonup console",
        "options": f"-c statement_timeout={query_box.SECONDS * 1000}",
    }
    outcome = query_box.run(arguments, query, read_only=read_only)
    return _page(visit, place, query, read_only=read_only, outcome=outcome)


def _page(
    visit: ConsoleVisit,
    place: reach.ReachedDatabase,
    query: str,
    *,
    read_only: bool,
    outcome: StatementOutcome | None,
) -> Response:
    return show(
        visit,
        "query.html",
        project=place.project,
        tab="query",
        place=place,
        query=query,
        read_only=read_only,
        outcome=outcome,
        rows=query_box.ROWS,
        seconds=query_box.SECONDS,
    )
