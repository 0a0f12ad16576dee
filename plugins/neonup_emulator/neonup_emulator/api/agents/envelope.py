"""How the API answers: JSON, and refusals in an envelope that says what to do about them."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from neonup import NeonupError
from neonup_emulator.api.body import Unusable, content
from neonup_emulator.neon.claimable.agent_errors import AgentRefused
from neonup_emulator.neon.claimable.agent_tokens import Bearer, bearer
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Locked, Refused

log = logging.getLogger(__name__)

_LARGEST_BODY = 1024 * 1024
_LOOPBACK = ("127.0.0.1", "[::1]")
METADATA = "/.well-known/oauth-protected-resource"

Work = Callable[[Request, LocalNeon, bytes], Any]
"""Carries out a request: what it answers is shown as JSON, and None as an empty body."""


def origin(request: Request) -> str:
    """This server's address, e.g. ``http://localhost:5540``.

    The names of loopback are one, which is the only one that the official client takes over plain
    http.
    """
    host = request.url.netloc
    for name in _LOOPBACK:
        if host == name or host.startswith(f"{name}:"):
            host = f"localhost{host.removeprefix(name)}"
    return f"{request.url.scheme}://{host}"


def bearer_of(request: Request, neon: LocalNeon) -> Bearer:
    """The agent whose access token the request has.

    Raises:
        AgentRefused: the request has no valid access token.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise AgentRefused("unauthorized", "send an access token: Authorization: Bearer ...")
    return bearer(neon, token.strip(), origin(request))


def form(body: bytes) -> dict[str, str]:
    """The fields of a form, each there once.

    Raises:
        AgentRefused: the body is not a form, or has a field twice.
    """
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        raise AgentRefused("invalid_request", "the body is no form") from None
    if any(len(values) > 1 for values in fields.values()):
        raise AgentRefused("invalid_request", "a field is there twice")
    return {name: values[0] for name, values in fields.items()}


async def carry_out(request: Request, work: Work, *, status: int = 200) -> Response:
    """The answer to a request.

    Args:
        work: runs in a thread.
        status: where it succeeds.
    """
    neon: LocalNeon = request.app.state.neon
    try:
        body = await content(request, _LARGEST_BODY)
        answer = await to_thread.run_sync(work, request, neon, body)
    except Unusable:
        return _refusal(request, AgentRefused("invalid_request", "the body is too large"))
    except Refused as refused:
        return _refusal(request, refused)
    except NeonupError as error:
        log.error("%s %s: %s", request.method, request.url.path, error)
        return _refusal(request, AgentRefused("internal_error", error.message))
    return _json(None if answer is None else msgspec.json.encode(answer), status)


async def refuse(request: Request, refused: Refused) -> Response:
    """The answer to a request that is refused whatever it holds."""
    return _refusal(request, refused)


def _refusal(request: Request, refused: Refused) -> Response:
    id = str(uuid.uuid4())  # noqa: A001
    shown: dict[str, Any] = {"message": refused.message, "request_id": id}
    headers = {"x-request-id": id}
    if isinstance(refused, AgentRefused):
        shown |= {"code": refused.code, "origin": "proxy", "retryable": refused.retryable}
        if refused.required_scope:
            shown["required_scope"] = refused.required_scope
    else:
        # Neon API v2 refuses. Its own codes would be taken for this API's.
        code = "not_found" if refused.status == 404 else "upstream_error"
        retryable = isinstance(refused, Locked)
        shown |= {"code": code, "origin": "upstream", "retryable": retryable}
        shown |= {"upstream_status": refused.status, "upstream_request_id": id}
    if refused.status == 401:
        headers["www-authenticate"] = f'Bearer resource_metadata="{origin(request)}{METADATA}"'
    return _json(msgspec.json.encode({"error": shown}), refused.status, headers)


def _json(content: bytes | None, status: int, headers: dict[str, str] | None = None) -> Response:
    media_type = "application/json" if content else None
    return Response(
        content, status, {"cache-control": "no-store", **(headers or {})}, media_type=media_type
    )
