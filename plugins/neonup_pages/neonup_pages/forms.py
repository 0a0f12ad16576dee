"""A browser's session in a signed cookie, the token that protects its forms, and notices."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request

_CSRF, _NOTICE = "csrf", "notice"
_LONGEST_NOTICE = 400
"""Characters of a notice: it travels in the cookie."""


class ExpiredForm(Exception):
    """The form was not sent from a page of this session, or the session is over."""

    message = "This form has expired. Go back, reload the page and try again."


def middleware(secret: str, *, seconds: int) -> Middleware:
    """Sessions in a cookie.

    Args:
        secret: signs the cookie. Cookies know no ports, so the name differs from server to server.
        seconds: how long it lasts.
    """
    name = f"neonup-{hashlib.sha256(secret.encode()).hexdigest()[:8]}"
    return Middleware(
        SessionMiddleware,
        secret_key=secret,
        session_cookie=name,
        max_age=seconds,
        same_site="lax",  # a client's browser comes from elsewhere, e.g. to a consent page
    )


def csrf_token(request: Request) -> str:
    """What every form of this session sends along, as the field `csrf`."""
    known: str = request.session.setdefault(_CSRF, secrets.token_urlsafe(24))
    return known


async def read(request: Request, *, most: int = 100) -> FormData:
    """The fields of a form that was really sent from a page of this session.

    Args:
        request: the request.
        most: fields that it may have.

    Raises:
        ExpiredForm: it was not.
    """
    fields = await request.form(max_files=0, max_fields=most)
    sent, known = fields.get("csrf"), request.session.get(_CSRF)
    if (
        not isinstance(sent, str)
        or not known
        or not hmac.compare_digest(sent.encode(), known.encode())
    ):
        raise ExpiredForm
    return fields


def text(fields: FormData, name: str) -> str:
    """A field's text, without white space around it; empty where it was not sent."""
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def tell(request: Request, text: str, *, wrong: bool = False) -> None:
    """Leave a notice for the page that comes next."""
    shown = text[:1].upper() + text[1:_LONGEST_NOTICE]
    request.session[_NOTICE] = [shown if shown.endswith((".", "?", "!")) else f"{shown}.", wrong]


def take_notice(request: Request) -> tuple[str, bool] | None:
    """The notice for this page, which is shown once, and whether something went wrong."""
    text, wrong = request.session.pop(_NOTICE, (None, False))
    return None if text is None else (str(text), bool(wrong))
