"""The page on which a user lets an application act for them, or does not."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from anyio import to_thread
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from neonup_emulator.api.oauth.protocol.code_grant import CodeGrant
from neonup_emulator.api.oauth.protocol.request import in_query
from neonup_emulator.api.oauth.protocol.server import OAuthServer
from neonup_emulator.api.web import session
from neonup_emulator.api.web.page import address, message, page
from neonup_emulator.neon.oauth.scopes import in_words
from neonup_pages import forms

PATH = "/oauth2/auth"
_LOOPBACK = ("http://localhost:*", "http://127.0.0.1:*")


def routes() -> list[Route]:
    """The authorization endpoint."""
    return [Route(PATH, _show, methods=["GET"]), Route(PATH, _decide, methods=["POST"])]


def issuer(request: Request) -> str:
    """This server, by the name that the request uses for it."""
    return f"{request.url.scheme}://{request.url.netloc}"


async def _show(request: Request) -> Response:
    """Show which application asks for which scopes; asks the user to sign in before."""
    if request.url.hostname == "localhost":  # where the browser has no session
        return RedirectResponse(address(request, f"{PATH}?{request.url.query}"), 303)
    server, user = OAuthServer(session.neon_of(request)), session.user(request)
    try:
        grant = await to_thread.run_sync(server.asked, in_query(request, issuer(request)), user)
    except OAuth2Error as error:
        return _refused(request, server, error)
    prompts = request.query_params.get("prompt", "").split()
    if user is None or "login" in prompts:
        return _to_sign_in(request)
    if "none" in prompts:  # users are always asked here
        state = grant.request.payload.state
        refused = ConsentRequiredError(redirect_uri=grant.redirect_uri, state=state)
        return _refused(request, server, refused)
    return _page(request, grant)


async def _decide(request: Request) -> Response:
    """Carry out the user's decision about the request in the address."""
    server, fields = OAuthServer(session.neon_of(request)), await forms.read(request)
    user = session.user(request)
    if user is None:
        return _to_sign_in(request)
    allowed = forms.text(fields, "decision") == "allow"
    try:
        return await to_thread.run_sync(
            lambda: server.decide(in_query(request, issuer(request)), user, allowed=allowed)
        )
    except OAuth2Error as error:
        return _refused(request, server, error)


def _page(request: Request, grant: CodeGrant) -> Response:
    back = urlsplit(grant.redirect_uri)
    on_this_machine = back.hostname in ("127.0.0.1", "::1", "localhost")
    return page(
        request,
        "consent.html",
        # Chromium counts what the application redirects to as well: from its own server to its
        # front end's, with those who develop it.
        form_targets=(f"{back.scheme}://{back.netloc}", *(_LOOPBACK if on_this_machine else ())),
        application=grant.request.client.row.name,
        where=back.netloc,
        on_this_machine=on_this_machine,
        wishes=in_words(grant.request.scope),
        action=f"{PATH}?{request.url.query}",
    )


def _to_sign_in(request: Request) -> Response:
    """Redirect to the sign-in page, which leads back here, without `prompt=login`."""
    asked = request.query_params.multi_items()
    again = [parameter for parameter in asked if parameter != ("prompt", "login")]
    back = f"{PATH}?{urlencode(again)}"
    return RedirectResponse(f"{request.url_for('sign_in').path}?{urlencode({'next': back})}", 303)


def _refused(request: Request, server: OAuthServer, error: OAuth2Error) -> Response:
    """Send the error to the application; show a page where its redirect URI is not registered."""
    if error.redirect_uri:
        return server.refuse(error)
    reason = f"{error.get_error_description()} ({error.error})"
    return message(request, "This link does not work", reason, status=400)
