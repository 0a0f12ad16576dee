"""The page on which a person takes an agent's project: sign-in, code, and a button to the console.

The console's own page, on which they choose an organization, is `transfer_page`.
"""

from __future__ import annotations

from datetime import datetime

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web import session
from neonup_emulator.api.web.page import page, to_sign_in
from neonup_emulator.api.web.transfer_page import Link
from neonup_emulator.neon.claimable import agent_claims
from neonup_emulator.neon.claimable.agent_claims import Claimable, Continued
from neonup_emulator.neon.claimable.attempts import TooMany
from neonup_emulator.neon.claimable.claim_codes import WrongCode
from neonup_emulator.neon.errors import Failed, Locked, Refused
from neonup_pages import forms


def routes() -> list[Route]:
    """The page; ``/claim/{id}`` is another, neon.new's."""
    return [
        Route("/claim", _show, methods=["GET"], name="agent_claim"),
        Route("/claim", _continue, methods=["POST"]),
    ]


async def _show(request: Request) -> Response:
    """The project of a code, or a field for the code; nothing changes by looking."""
    # The service itself calls the parameter user_code.
    query = request.query_params
    return await _project(request, query.get("code") or query.get("user_code") or "")


async def _continue(request: Request) -> Response:
    """Revoke what the agent has, and go on to the console."""
    fields = await forms.read(request)
    user = session.user(request)
    if user is None:
        return to_sign_in(request)
    neon, code = session.neon_of(request), forms.text(fields, "code")

    def proceed() -> Continued:
        return agent_claims.proceed(neon, code, _session_of(request), user)

    try:
        return _to_console(await to_thread.run_sync(proceed))
    except (WrongCode, TooMany) as refused:
        return _form(request, code, refused)
    except (Locked, Failed) as refused:
        return await _project(request, code, refused)


async def _project(request: Request, code: str, refused: Refused | None = None) -> Response:
    """The project of a code, with what came of pressing the button where that did not work."""
    user = session.user(request)
    if user is None:
        return to_sign_in(request)
    if not code.strip():
        return _form(request)
    neon = session.neon_of(request)

    def look() -> Continued | Claimable:
        again = agent_claims.continued(neon, code, user)
        return again or agent_claims.look(neon, code, _session_of(request))

    try:
        found = await to_thread.run_sync(look)
    except (WrongCode, TooMany) as wrong:
        return _form(request, code, wrong)
    if isinstance(found, Continued):
        return _to_console(found)
    registration = found.registration
    return page(
        request,
        "agent_claim.html",
        status=refused.status if refused else 200,
        error=f"{refused.message}: try again in a moment." if refused else "",
        code=code,
        project=found.project,
        source=registration.source,
        created=_when(registration.created_at),
        expires=_when(registration.expires_at),
    )


def _to_console(continued: Continued) -> Response:
    return RedirectResponse(Link(continued.project_id, continued.request_id, "").path, 303)


def _form(request: Request, code: str = "", refused: Refused | None = None) -> Response:
    error = refused.message if refused else ""
    status = refused.status if refused else 200
    return page(request, "agent_claim_code.html", status=status, code=code, error=error)


def _session_of(request: Request) -> str:
    return forms.csrf_token(request)


def _when(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
