"""The page behind a claim link: what the database is, how long it lives, and a button."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from neonup_local.api import neon_new
from neonup_local.service.claims import Claim, Claims


def routes() -> list[Route]:
    """The pages; neon-new writes ``/database/{id}`` for the claim link, the API ``/claim/{id}``."""
    return [
        Route("/", _start, methods=["GET"]),
        Route("/claim/{id}", _show, methods=["GET"]),
        Route("/claim/{id}", _claim, methods=["POST"]),
        Route("/database/{id}", _show, methods=["GET"]),
        Route("/database/{id}", _claim, methods=["POST"]),
    ]


def nothing(reason: str, status: int) -> Response:
    """The page of an address that is none."""
    return _page("nothing", reason.capitalize(), status=status)


def broken(reason: str) -> Response:
    """The page of a database that is there but cannot be used."""
    return _page("broken", "This database cannot be used", status=500, reason=escape(reason))


async def _start(request: Request) -> Response:
    base = escape(f"{request.url.scheme}://{request.url.netloc}/api/v1")
    return _page("start", "Postgres, the moment it is needed", base=base)


async def _show(request: Request) -> Response:
    name = request.path_params["id"]
    claims: Claims = request.app.state.claims
    found = await to_thread.run_sync(claims.look, name)
    if found is not None:
        return _claimed(found) if found.claimed else _unclaimed(found)
    if await to_thread.run_sync(claims.has_expired, name):
        return _page("expired", "This database has expired", status=410)
    return _page("unknown", "There is no such database", status=404)


async def _claim(request: Request) -> Response:
    claims: Claims = request.app.state.claims
    await to_thread.run_sync(claims.claim, request.path_params["id"])
    return RedirectResponse(request.url.path, status_code=303)  # the page says what came of it


def _unclaimed(claim: Claim) -> Response:
    left = claim.expires_at - datetime.now(UTC)
    return _page(
        "unclaimed",
        "Claim your database",
        project=claim.project_id,
        created=_when(claim.created_at),
        expires=_when(claim.expires_at),
        moment=neon_new.iso(claim.expires_at),
        left=_left(left),
    )


def _claimed(claim: Claim) -> Response:
    return _page(
        "claimed", "This database is yours", project=claim.project_id, since=_when(claim.updated_at)
    )


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _left(left: timedelta) -> str:
    """A time span as a person says it: its two largest units."""
    minutes = max(0, int(left.total_seconds())) // 60
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return _counted(minutes, "minute") if minutes else "less than a minute"
    return f"{_counted(hours, 'hour')} {_counted(minutes, 'minute')}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


@cache
def _text(name: str) -> str:
    return (files("neonup_local.api") / "pages" / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """How a content security policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _page(name: str, title: str, *, status: int = 200, **values: str) -> Response:
    style, script = _text("style.css"), _text("countdown.js")
    content = Template(_text(f"{name}.html")).substitute(values)
    page = Template(_text("frame.html")).substitute(
        title=escape(title), style=style, script=script, content=content
    )
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "cache-control": "no-store",
        "content-security-policy": policy,
        "referrer-policy": "same-origin",  # the address is the claim link, nobody else's business
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    return HTMLResponse(page, status, headers)
