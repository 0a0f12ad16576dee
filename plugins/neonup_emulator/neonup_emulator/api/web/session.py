"""Who is signed in to the pages, by the secret in a signed cookie; and tokens that protect forms.

Anybody on this machine can reach the pages, so signing in to an account that exists takes a secret
of its owner's: the link that `neonup serve` prints, or an API key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request

from neonup_emulator.neon.accounts import sessions
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Forbidden

_SIGNED_IN, _CSRF = "session", "csrf"


def middleware(secret: str) -> Middleware:
    """Sessions in a cookie.

    Args:
        secret: signs the cookie. Cookies know no ports, so the name differs from server to server.
    """
    name = f"neonup-{hashlib.sha256(secret.encode()).hexdigest()[:8]}"
    return Middleware(
        SessionMiddleware,
        secret_key=secret,
        session_cookie=name,
        max_age=int(sessions.LIFETIME.total_seconds()),
        same_site="lax",  # a client's browser comes from elsewhere to the consent page
    )


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


def csrf_token(request: Request) -> str:
    """What every form of this session sends along, as the field `csrf`."""
    known: str = request.session.setdefault(_CSRF, secrets.token_urlsafe(24))
    return known


async def form(request: Request) -> FormData:
    """The fields of a form that was really sent from a page of this session.

    Raises:
        Forbidden: it was not.
    """
    fields = await request.form(max_files=0, max_fields=100)
    sent, known = fields.get("csrf"), request.session.get(_CSRF)
    if (
        not isinstance(sent, str)
        or not known
        or not hmac.compare_digest(sent.encode(), known.encode())
    ):
        raise Forbidden("This form has expired. Go back, reload the page and try again.")
    return fields


def text(fields: FormData, name: str) -> str:
    """A field's text, without white space around it; empty where it was not sent."""
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""
