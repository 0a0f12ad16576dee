"""Registering applications, below ``/neonup/oauth-clients``: for the default user alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from neonup_emulator.api import default_user
from neonup_emulator.api.body import Unusable, content
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Refused
from neonup_emulator.neon.oauth import clients as oauth_clients
from neonup_emulator.neon.oauth.model import OAuthClient

_LARGEST_BODY = 64 * 1024


class _NewClient(Struct, forbid_unknown_fields=True):
    name: str
    redirect_uris: list[str]
    public: bool = False
    scopes: list[str] | None = None


def routes() -> list[Route]:
    """Below ``/neonup``."""
    return [
        Route("/oauth-clients", _list, methods=["GET"]),
        Route("/oauth-clients", _register, methods=["POST"]),
        Route("/oauth-clients/{client_id}", _remove, methods=["DELETE"]),
    ]


async def _register(request: Request) -> JSONResponse:
    """``{"name": "My app", "redirect_uris": ["http://localhost:3000/callback"]}``; with
    `public`, without a secret. The answer is the only one with the secret in it."""
    try:
        body = await content(request, _LARGEST_BODY)
        wanted = msgspec.json.decode(body, type=_NewClient)
    except (Unusable, msgspec.DecodeError) as error:
        return JSONResponse({"message": str(error) or "the body is too large"}, 400)

    def register(neon: LocalNeon) -> dict[str, Any]:
        client, secret = oauth_clients.register(
            neon, wanted.name, wanted.redirect_uris, public=wanted.public, scopes=wanted.scopes
        )
        return _shown(client) | ({"client_secret": secret} if secret else {})

    return await _as_admin(request, register, 201)


async def _list(request: Request) -> JSONResponse:
    """All, without their secrets."""

    def every(neon: LocalNeon) -> dict[str, Any]:
        return {"clients": [_shown(client) for client in oauth_clients.registered(neon)]}

    return await _as_admin(request, every)


async def _remove(request: Request) -> JSONResponse:
    """Delete one; its tokens are refused from now on."""
    client_id = request.path_params["client_id"]
    return await _as_admin(request, lambda neon: _shown(oauth_clients.remove(neon, client_id)))


async def _as_admin(
    request: Request, do: Callable[[LocalNeon], dict[str, Any]], status: int = 200
) -> JSONResponse:
    neon: LocalNeon = request.app.state.neon

    def checked() -> dict[str, Any]:
        default_user.check(neon, default_user.bearer(request))
        return do(neon)

    try:
        return JSONResponse(await asyncio.to_thread(checked), status)
    except Refused as refused:
        return JSONResponse({"message": refused.message}, refused.status)


def _shown(client: OAuthClient) -> dict[str, Any]:
    return {
        "client_id": client.id,
        "name": client.name,
        "redirect_uris": client.redirect_uris,
        "public": client.digest is None,
        "scopes": client.scopes,
    }
