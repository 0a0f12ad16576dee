"""The routes that `Neon.install` adds: a health check, and in development a page."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from neonup_web.connections import Connections
from neonup_web.status import StatusPages


def routes(connections: Connections, path: str) -> list[Route]:
    """The page under ``path``, and the health check under ``path/health``."""
    pages = StatusPages(connections)

    async def health(request: Request) -> Response:
        return Response(*await pages.health())

    async def page(request: Request) -> Response:
        response = await pages.page(request.client and request.client.host, request.headers)
        if response is None:
            raise HTTPException(404)
        return Response(*response)

    return [
        Route(f"{path}/health", health, include_in_schema=False),
        Route(path, page, include_in_schema=False),
    ]
