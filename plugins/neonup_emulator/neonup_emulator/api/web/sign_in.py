"""Signing in to the pages, and out."""

from __future__ import annotations

import hmac

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.web import session
from neonup_emulator.api.web.page import is_local, page
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Refused, Unauthorized
from neonup_pages import forms


def routes() -> list[Route]:
    """The pages."""
    return [
        Route("/sign-in", show, methods=["GET"], name="sign_in"),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"], name="sign_out"),
    ]


async def show(request: Request) -> Response:
    """The form; with the token of the link that `neonup serve` prints, the session at once."""
    neon = session.neon_of(request)
    token = request.query_params.get("token")
    if token is not None:
        if hmac.compare_digest(token.encode(), neon.console_token.encode()):
            await to_thread.run_sync(session.sign_in, request, neon.people.users()[0])
            return RedirectResponse(_back(request.query_params.get("next")), 303)
        return _form(request, error="This link belongs to another server. Use the latest one.")
    return _form(request)


async def sign_in(request: Request) -> Response:
    """A new account by its address, or one that exists by one of its keys."""
    fields = await forms.read(request)
    email, key = forms.text(fields, "email"), forms.text(fields, "key")
    back = _back(forms.text(fields, "next"))
    try:
        user = await to_thread.run_sync(_find, session.neon_of(request), email, key)
    except Refused as refused:
        return _form(request, email=email, back=back, error=refused.message)
    await to_thread.run_sync(session.sign_in, request, user)
    return RedirectResponse(back, 303)


async def sign_out(request: Request) -> Response:
    """End the session."""
    await forms.read(request)
    await to_thread.run_sync(session.sign_out, request)
    return RedirectResponse("/", 303)


def _find(neon: LocalNeon, email: str, key: str) -> User:
    if key:
        caller = neon.identity.caller(key)
        if caller.method != "api_key_user":
            raise Unauthorized("That key is an organization's. Use a personal one.")
        return caller.user
    if neon.people.by_email(email) is not None:
        raise Unauthorized(
            "An account with this address already exists. Sign in with one of its API keys, or "
            "open the console's link that neonup serve printed."
        )
    return neon.people.create_user(email)[0]


def _form(
    request: Request, *, email: str = "", back: str | None = None, error: str = ""
) -> Response:
    back = back or _back(request.query_params.get("next"))
    status = 401 if error else 200
    return page(request, "sign_in.html", status=status, email=email, next=back, error=error)


def _back(path: str | None) -> str:
    return path if path and is_local(path) else "/"
