"""How to connect to a branch: its URL, masked, and a snippet for each driver and framework."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from neonup import urls
from neonup_emulator.api.web import reach, snippets
from neonup_emulator.api.web.visit import ConsoleVisit, show, shows
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.compute import addresses


def routes() -> list[Route]:
    """The page."""
    return [
        Route(
            "/projects/{project_id}/connect", shows(_connect, least=Level.EDITOR), methods=["GET"]
        )
    ]


def _connect(visit: ConsoleVisit) -> Response:
    place = reach.place(
        visit,
        branch=visit.asked("branch"),
        database=visit.asked("database"),
        role=visit.asked("role"),
    )
    snippet = snippets.BY_NAME.get(visit.asked("for"), snippets.ALL[0])
    url = place.url
    form = snippet.form(url) if url else ""
    request = visit.request
    base = f"{request.url.scheme}://{request.url.netloc}"
    chosen = {
        "branch": place.branch.id,
        "database": place.database.name if place.database else "",
        "role": place.role.name if place.role else "",
    }
    return show(
        visit,
        "connect.html",
        project=place.project,
        tab="connect",
        place=place,
        host=addresses.host(place.endpoint) if place.endpoint else "",
        url=url,
        masked=urls.mask(url) if url else "",
        line=f"DATABASE_URL={form}",
        masked_line=f"DATABASE_URL={urls.mask(form)}" if form else "",
        snippets=snippets.ALL,
        snippet=snippet,
        code=snippet.text(base),
        chosen=urlencode(chosen),
    )
