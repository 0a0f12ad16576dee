"""Rendering a page of the console, and addresses of pages."""

from __future__ import annotations

from functools import cache, partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from neonup_emulator.api.web import session
from neonup_pages import forms, look

_TEMPLATES = cache(partial(look.environment, "neonup_emulator.api.web"))


def page(
    request: Request,
    name: str,
    *,
    status: int = 200,
    form_targets: tuple[str, ...] = (),
    **values: Any,
) -> HTMLResponse:
    """A page.

    Args:
        name: of the template, e.g. ``sign_in.html``. It knows `user`, who is signed in or None,
            `csrf`, the token for its forms, and `now`, the time here as countdowns need it.
        form_targets: origins to which its forms may lead beside this server, by a redirection.
        values: what else the template knows.
    """
    known = {
        "user": session.user(request),
        "csrf": forms.csrf_token(request),
        "now": session.neon_of(request).clock.now(),
    }
    return look.answer(
        _TEMPLATES(), name, {**known, **values}, status=status, form_targets=form_targets
    )


def message(request: Request, title: str, text: str, *, status: int = 200) -> HTMLResponse:
    """A page with a title and a text."""
    return page(request, "message.html", status=status, title=title, text=text)


def to_sign_in(request: Request) -> RedirectResponse:
    """To the sign-in page, which leads back here."""
    back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{request.url_for('sign_in').path}?{urlencode({'next': back})}", 303)


def address(request: Request, path: str) -> str:
    """The whole address of a page, for a browser.

    Pages are always named by 127.0.0.1 rather than localhost: a browser's session belongs to one
    of the two names.
    """
    host = request.url.netloc
    if request.url.hostname == "localhost":
        host = host.replace("localhost", "127.0.0.1", 1)
    return f"{request.url.scheme}://{host}{path}"


def is_local(path: str) -> bool:
    """Whether an address is a path of this server and nothing else.

    Browsers take a slash and a backslash for the same, leave out what is no character, and look
    for a host behind two slashes and any number of others (https://url.spec.whatwg.org/).
    """
    plain = path.isprintable() and "\\" not in path
    return plain and path.startswith("/") and not path.startswith("//")
