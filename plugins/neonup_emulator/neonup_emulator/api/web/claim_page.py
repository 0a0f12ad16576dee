"""The page behind a claim link of neon.new: what the database is, how long it lives, a button."""

from __future__ import annotations

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web import session
from neonup_emulator.api.web.page import page, to_sign_in
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.claimable import neon_new
from neonup_emulator.neon.claimable.model import ClaimableDatabase, ClaimableState
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Conflict, NotFound
from neonup_emulator.neon.transfer.transfer_requests import destinations
from neonup_pages import forms


def routes() -> list[Route]:
    """The pages; neon-new writes ``/database/{id}`` for the claim link, the API ``/claim/{id}``."""
    return [
        Route(path, do, methods=[method])
        for path in ("/claim/{id}", "/database/{id}")
        for method, do in (("GET", _show), ("POST", _claim))
    ]


async def _show(request: Request) -> Response:
    neon, name = session.neon_of(request), request.path_params["id"]
    database = await to_thread.run_sync(neon_new.find, neon, name)
    if database is None:
        return await _gone(request, neon, name)
    if database.state is ClaimableState.UNCLAIMED:
        return await _unclaimed(request, neon, database)
    return _claimed(request, neon, database)


async def _claim(request: Request) -> Response:
    """Claim the database for the chosen organization; leads back to the page."""
    fields = await forms.read(request)
    user = session.user(request)
    if user is None:
        return to_sign_in(request)
    neon, name = session.neon_of(request), request.path_params["id"]
    org_id = forms.text(fields, "org_id")
    try:
        await to_thread.run_sync(neon_new.claim, neon, name, user, org_id)
    except NotFound:
        return await _gone(request, neon, name)
    except Conflict:
        pass
    return RedirectResponse(request.url.path, status_code=303)


async def _unclaimed(request: Request, neon: LocalNeon, database: ClaimableDatabase) -> Response:
    user = session.user(request)
    organizations = await to_thread.run_sync(destinations, neon, user) if user else []
    return page(
        request,
        "claim.html",
        project=database.project_id,
        created_at=database.created_at,
        expires_at=database.expires_at,
        organizations=organizations,
        to_sign_in=to_sign_in(request).headers["location"],
    )


def _claimed(request: Request, neon: LocalNeon, database: ClaimableDatabase) -> Response:
    """The page of a claimed database; only who claimed it sees the organization."""
    organization = neon.people.organization(database.claimed_into or "")
    return page(
        request,
        "claimed.html",
        project=database.project_id,
        done=database.state is ClaimableState.CLAIMED,
        since=database.updated_at,
        organization=organization.name if organization else "",
        mine=_is_claimers(database, session.user(request)),
    )


async def _gone(request: Request, neon: LocalNeon, name: str) -> Response:
    if await to_thread.run_sync(neon_new.has_expired, neon, name):
        return page(request, "claim_expired.html", status=410)
    return page(request, "claim_unknown.html", status=404)


def _is_claimers(database: ClaimableDatabase, user: User | None) -> bool:
    return user is not None and user.id == database.claimed_by
