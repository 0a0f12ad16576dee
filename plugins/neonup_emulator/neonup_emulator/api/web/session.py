"""Who is signed in to the pages, by the secret in a signed cookie.

Anybody on this machine can reach the pages, so signing in to an account that exists takes a secret
of its owner's: the link that `neonup serve` prints, or an API key.
"""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.requests import Request

from neonup_emulator.neon.accounts import sessions
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.context import LocalNeon
from neonup_pages import forms

_SIGNED_IN = "session"


def middleware(secret: str) -> Middleware:
    """Sessions in a cookie that the secret signs."""
    return forms.middleware(secret, seconds=int(sessions.LIFETIME.total_seconds()))


def neon_of(request: Request) -> LocalNeon:
    """The local Neon behind the application."""
    neon: LocalNeon = request.app.state.neon
    return neon


def user(request: Request) -> User | None:
    """The user who is signed in, or None."""
    secret = request.session.get(_SIGNED_IN)
    return sessions.user_of(neon_of(request), secret) if secret else None


def caller(request: Request) -> Caller | None:
    """The caller for the user who is signed in, with all that they reach."""
    user_row = user(request)
    if user_row is None:
        return None
    return neon_of(request).identity.personal(user_row, "session_cookie", user_row.id)


def sign_in(request: Request, user: User) -> None:
    """Begin a session; an earlier one ends, and what it held is forgotten."""
    sign_out(request)
    request.session[_SIGNED_IN] = sessions.begin(neon_of(request), user)


def sign_out(request: Request) -> None:
    """End the session, for every copy of its cookie."""
    if secret := request.session.get(_SIGNED_IN):
        sessions.end(neon_of(request), secret)
    request.session.clear()
