"""Reading a request's body, bounded."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request


class Unusable(Exception):
    """The body is not what the API takes."""


async def content(request: Request, largest: int) -> bytes:
    """The body.

    Args:
        request: the request; its body was not read yet.
        largest: bytes that a body may have.

    Raises:
        Unusable: it is larger.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise Unusable
    return bytes(body)


async def json_object(request: Request, largest: int) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object.

    Raises:
        Unusable: it is larger than `largest` bytes, or something else.
    """
    body = await content(request, largest)
    if not body.strip():
        return {}
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise Unusable from None
    if not isinstance(parsed, dict):
        raise Unusable
    return parsed
