"""Reading a request's body, bounded."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request


class Unusable(Exception):
    """The body is not what the API takes."""


async def json_object(request: Request, largest: int) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object.

    Args:
        request: the request; its body was not read yet.
        largest: bytes that a body may have.

    Raises:
        Unusable: it is larger, or something else.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > largest:
            raise Unusable
    if not content.strip():
        return {}
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        raise Unusable from None
    if not isinstance(parsed, dict):
        raise Unusable
    return parsed
