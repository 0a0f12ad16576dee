"""httpx's transports, with every request checked against Neon's OpenAPI document."""

from __future__ import annotations

import json

import httpx

from tests.neon.api import DOCUMENT
from tests.neon.document import PATH


def check(request: httpx.Request) -> None:
    """Fail where the document does not allow a request."""
    path = request.url.raw_path.decode().partition("?")[0].partition("/api/v2")[2]
    body = json.loads(request.content) if request.content else None
    if PATH.exists():
        errors = DOCUMENT.request_errors(request.method, path, dict(request.url.params), body)
        assert errors == [], f"{request.method} {request.url}: {errors}"


class Checked(httpx.HTTPTransport):
    """Blocking."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        check(request)
        return super().handle_request(request)


class AsyncChecked(httpx.AsyncHTTPTransport):
    """Awaited."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check(request)
        return await super().handle_async_request(request)
