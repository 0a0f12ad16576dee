"""The page on which a person takes an agent's project: code, sign-in, organization, button."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web import session
from neonup_emulator.api.web.page import page, to_sign_in
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.claimable import agent_claims
from neonup_emulator.neon.claimable.agent_claims import Claimable
from neonup_emulator.neon.claimable.attempts import TooMany
from neonup_emulator.neon.claimable.claim_codes import WrongCode
from neonup_emulator.neon.claimable.model import AgentRegistration, RegistrationState
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound, Refused


def routes() -> list[Route]:
    """The page; ``/claim/{id}`` is another, neon.new's."""
    return [
        Route("/claim", _show, methods=["GET"], name="agent_claim"),
        Route("/claim", _claim, methods=["POST"]),
    ]


async def _show(request: Request) -> Response:
    """The project of a code, the result of a claim, or a field for the code."""
    user = session.user(request)
    if user is None:
        return to_sign_in(request)
    query = request.query_params
    neon = session.neon_of(request)
    if claimed := query.get("claimed"):
        return await _claimed(request, neon, user, claimed)
    # The service itself calls the parameter user_code.
    code = query.get("code") or query.get("user_code") or ""
    if not code.strip():
        return _form(request)
    try:
        claimable = await to_thread.run_sync(agent_claims.look, neon, code, _session_of(request))
    except (WrongCode, TooMany) as refused:
        return _form(request, code, refused)
    return await _offer(request, neon, user, code, claimable)


async def _claim(request: Request) -> Response:
    """Claim the project for the chosen organization."""
    fields = await session.form(request)
    user = session.user(request)
    if user is None:
        return to_sign_in(request)
    neon, code = session.neon_of(request), session.text(fields, "code")
    org_id = session.text(fields, "org_id")

    def accept() -> AgentRegistration:
        return agent_claims.accept(neon, code, _session_of(request), user, org_id)

    try:
        accepted = await to_thread.run_sync(accept)
    except (WrongCode, TooMany) as refused:
        return _form(request, code, refused)
    return RedirectResponse(f"/claim?{urlencode({'claimed': accepted.project_id})}", 303)


async def _offer(
    request: Request, neon: LocalNeon, user: User, code: str, claimable: Claimable
) -> Response:
    registration = claimable.registration
    return page(
        request,
        "agent_claim.html",
        code=code,
        project=claimable.project,
        source=registration.source,
        created=_when(registration.created_at),
        expires=_when(registration.expires_at),
        organizations=await to_thread.run_sync(agent_claims.destinations, neon, user),
    )


async def _claimed(request: Request, neon: LocalNeon, user: User, project_id: str) -> Response:
    """The result of a claim, for the person who claimed the project."""

    def find() -> AgentRegistration:
        for row in neon.store.all(AgentRegistration, project_id=project_id):
            if row.claimed_by == user.id:
                return row
        raise NotFound("You have claimed no such project.")

    claimed = await to_thread.run_sync(find)
    organization = neon.people.organization(claimed.claimed_into or "")
    return page(
        request,
        "agent_claimed.html",
        project_id=claimed.project_id,
        organization=organization.name if organization else "",
        reconciled=claimed.state is RegistrationState.RECONCILED,
    )


def _form(request: Request, code: str = "", refused: Refused | None = None) -> Response:
    error = refused.message if refused else ""
    status = refused.status if refused else 200
    return page(request, "agent_claim_code.html", status=status, code=code, error=error)


def _session_of(request: Request) -> str:
    return session.csrf_token(request)


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
