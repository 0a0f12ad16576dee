"""How an agent that knows nothing but the server's address finds out the rest."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from neonup_emulator.api.agents.envelope import METADATA, origin
from neonup_emulator.neon.claimable import agent_tokens
from neonup_emulator.neon.claimable.capabilities import SCOPES
from neonup_emulator.neon.context import LocalNeon

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def routes() -> list[Route]:
    """At the root of the server; at Neon they are on two hosts."""
    return [
        Route(METADATA, _resource),
        Route("/.well-known/oauth-authorization-server/claimable", _authorization_server),
        Route("/.well-known/jwks.json", _keys),
        Route("/auth.md", _guide),
    ]


async def _resource(request: Request) -> Response:
    """OAuth's protected resource metadata (RFC 9728)."""
    base = origin(request)
    return JSONResponse(
        {
            "resource": agent_tokens.audience(base),
            "authorization_servers": [f"{base}/claimable"],
            "scopes_supported": SCOPES,
            "bearer_methods_supported": ["header"],
            "resource_documentation": f"{base}/auth.md",
        }
    )


async def _authorization_server(request: Request) -> Response:
    """OAuth's authorization server metadata (RFC 8414), with what auth.md adds for agents."""
    base = origin(request)
    return JSONResponse(
        {
            "issuer": f"{base}/claimable",
            "token_endpoint": f"{base}/v1/oauth2/token",
            "revocation_endpoint": f"{base}/v1/oauth2/revoke",
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "grant_types_supported": [JWT_BEARER],
            "response_types_supported": [],
            "scopes_supported": SCOPES,
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "agent_auth": {
                "skill": f"{base}/auth.md",
                "identity_endpoint": f"{base}/v1/agent/identity",
                "claim_endpoint": f"{base}/v1/projects/{{project_id}}/claim",
                "identity_types_supported": ["anonymous"],
            },
        }
    )


async def _keys(request: Request) -> Response:
    """The keys with which all tokens of this Neon are checked."""
    neon: LocalNeon = request.app.state.neon
    return JSONResponse(await to_thread.run_sync(neon.signer.public))


async def _guide(request: Request) -> Response:
    """The guide for agents."""
    text = Template(_text()).substitute(base=origin(request))
    return PlainTextResponse(text, media_type="text/markdown")


@cache
def _text() -> str:
    return (files("neonup_emulator.api.agents") / "auth.md").read_text(encoding="utf-8")
