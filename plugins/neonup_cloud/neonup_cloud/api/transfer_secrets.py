"""Requests to transfer a project: whoever knows such a request's id may take the project."""

from __future__ import annotations

import logging
import re

from neonup.plugin.http import Request

_SECRET = re.compile(r"(/transfer_requests)/[^/?]+")


def masked(url: str) -> str:
    """A URL without the id of a request to transfer a project."""
    return _SECRET.sub(r"\1/...", url)


class NeonRequest(Request):
    """A request to Neon's API; messages show its URL masked."""

    def __str__(self) -> str:
        return f"{self.method} {masked(self.url)}"


class _Masked(logging.Filter):
    """Masks the URLs in httpx's log of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                masked(str(value)) if "/transfer_requests/" in str(value) else value
                for value in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_Masked())
