"""The endpoints for applications: discovery, tokens and user info."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from anyio import to_thread
from authlib.oauth2.rfc6749.errors import OAuth2Error
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from neonup import NeonupError
from neonup_emulator.api.body import Unusable, content
from neonup_emulator.api.oauth import consent
from neonup_emulator.api.oauth.protocol.code_grant import user_info
from neonup_emulator.api.oauth.protocol.request import Incoming, in_body
from neonup_emulator.api.oauth.protocol.server import OAuthServer
from neonup_emulator.api.web.page import address
from neonup_emulator.api.web.session import neon_of
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.scopes import SCOPES

log = logging.getLogger(__name__)

_LARGEST_BODY = 64 * 1024
_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def routes() -> list[Route]:
    """The endpoints, and the consent page."""
    # At that level Authlib writes tokens into the log.
    logging.getLogger("authlib").setLevel(logging.INFO)
    return [
        Route("/.well-known/openid-configuration", _discovery, methods=["GET"]),
        *consent.routes(),
        Route("/oauth2/token", _token, methods=["POST"]),
        Route("/oauth2/revoke", _revoke, methods=["POST"]),
        Route("/userinfo", _user_info, methods=["GET", "POST"]),
    ]


def recognize(neon: LocalNeon) -> None:
    """Let the API take access tokens."""
    neon.identity.others.append(partial(oauth_tokens.caller, neon))


async def _discovery(request: Request) -> Response:
    """OpenID Connect Discovery 1.0. The issuer is this server by the name that the client uses."""
    issuer = consent.issuer(request)
    methods = ["client_secret_basic", "client_secret_post", "none"]
    return JSONResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": address(request, consent.PATH),
            "token_endpoint": f"{issuer}/oauth2/token",
            "revocation_endpoint": f"{issuer}/oauth2/revoke",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",  # agents' tokens are signed by it, too
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "prompt_values_supported": ["none", "login", "consent"],
            "claims_supported": [
                *("iss", "sub", "aud", "iat", "exp", "nonce", "at_hash"),
                *("email", "email_verified", "name"),
            ],
        }
    )


async def _token(request: Request) -> Response:
    """Exchange a code or a refresh token for tokens."""
    return await _answer(request, OAuthServer.exchange)


async def _revoke(request: Request) -> Response:
    """Revoke a token."""
    return await _answer(request, OAuthServer.revoke)


async def _answer(
    request: Request, answer: Callable[[OAuthServer, Incoming], Response]
) -> Response:
    server = OAuthServer(neon_of(request))
    try:
        body = await content(request, _LARGEST_BODY)
        incoming = in_body(request, consent.issuer(request), body)
        return await to_thread.run_sync(answer, server, incoming)
    except Unusable:
        return JSONResponse({"error": "invalid_request"}, 413, _NO_STORE)
    except OAuth2Error as error:
        return server.refuse(error)
    except NeonupError as error:
        log.error("%s: %s", request.url.path, error)
        return JSONResponse({"error": "server_error"}, 500, _NO_STORE)


async def _user_info(request: Request) -> Response:
    """Who the user is, for a token with the scope `openid` (OpenID Connect Core 1.0, 5.3)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return JSONResponse({}, 401, {"www-authenticate": "Bearer", **_NO_STORE})
    caller = await to_thread.run_sync(oauth_tokens.caller, neon_of(request), token.strip())
    if caller is None:
        return _not_with_that(401, "invalid_token")
    if "openid" not in (caller.scopes or ()):
        return _not_with_that(403, "insufficient_scope")
    return JSONResponse(user_info(caller.user), headers=_NO_STORE)


def _not_with_that(status: int, error: str) -> Response:
    headers = {"www-authenticate": f'Bearer error="{error}"', **_NO_STORE}
    return JSONResponse({"error": error}, status, headers)
