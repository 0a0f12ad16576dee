"""A health check, and in development a page of the default database, as FastAPI's adapter has them.

``urlpatterns = [path("_neon", include("django_neon.urls")), ...]``
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

from django_neon import development, place
from django_neon.errors import DatabaseUnavailable
from neonup_web.connections import Connections
from neonup_web.response import WebResponse
from neonup_web.status import StatusPages


def page(request: HttpRequest) -> HttpResponse:
    """The page: for a developer on this machine; a 404 for everybody else."""
    _find()
    client = request.META.get("REMOTE_ADDR") or None
    answer = asyncio.run(_pages().page(client, request.headers))
    if answer is None:
        raise Http404
    return _response(answer)


def health(_request: HttpRequest) -> HttpResponse:
    """Status 200 if the database answers, else 503."""
    _find()
    return _response(asyncio.run(_pages().health()))


def _find() -> None:
    """In development the database is found, or created and announced, as at a first connection."""
    if development.is_development():
        with suppress(DatabaseUnavailable):  # which the answer says
            place.database(_described())


@cache
def _pages() -> StatusPages:
    return StatusPages(Connections(place.silent_source(_described())))


def _described() -> dict[str, Any]:
    described = settings.DATABASES["default"].get("NEON")
    if described is None:
        raise Http404("The default database is not one of django_neon.database().")
    return dict(described)


def _response(answer: WebResponse) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


urlpatterns = [path("", page, name="neon"), path("/health", health, name="neon-health")]
