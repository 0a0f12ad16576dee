"""`WebResponse`: what a framework's own response is made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Self


class WebResponse(NamedTuple):
    """An answer to a request, in the order in which Flask's and Starlette's responses take it.

    Args:
        body: text, to be sent as UTF-8.
        status: of HTTP.
        headers: ``content-type`` is among them; nothing may keep the answer.
    """

    body: str
    status: int
    headers: Mapping[str, str]

    @classmethod
    def html(cls, body: str, status: int, headers: Mapping[str, str]) -> Self:
        """A page."""
        return cls(body, status, _headers("text/html; charset=utf-8", headers))

    @classmethod
    def json(cls, content: Any, status: int) -> Self:
        """An answer for programs."""
        body = json.dumps(content, separators=(",", ":"))
        return cls(body, status, _headers("application/json", {}))


def _headers(content_type: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {"content-type": content_type, "cache-control": "no-store", **headers}
