"""The first page: what this server is, and how a program uses it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from neonup_local.api.web.page import page


def routes() -> list[Route]:
    """The page."""
    return [Route("/", _show, methods=["GET"])]


async def _show(request: Request) -> Response:
    base = f"{request.url.scheme}://{request.url.netloc}/api/v1"  # the guard knows the name
    return page(request, "start.html", base=base)
