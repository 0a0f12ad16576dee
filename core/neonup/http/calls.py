"""HTTP calls to the services, apart from how they are sent.

A call is a generator. It yields what is to happen next, a `Request` or a `Pause`, and receives the
result; `neonup.http.run` sends the requests. What a call means, its retries included, is
therefore written in one place that does no input or output.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TypeVar

from neonup.values import Value


class Request(Value):
    """A request, as yet unsent.

    Args:
        method: ``GET``, ``POST`` ...
        url: an absolute URL without secrets: messages show it.
        body: sent as JSON.
        repeatable: whether sending it twice does no harm. One that is not is sent again only where
            the service has not taken it, or says itself that it failed.
        form: sent form-encoded, instead of a body.
        token: the bearer token that proves who asks.
    """

    method: str
    url: str
    body: Mapping[str, object] | None = None
    repeatable: bool = True
    form: Mapping[str, str] | None = None
    token: str | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    def __str__(self) -> str:
        return f"{self.method} {self.url}"

    def __repr__(self) -> str:
        return f"Request({str(self)!r})"


class Response(Value, secret=("body",)):
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Failure(Value):
    """No answer, or none that can be used.

    Args:
        reason: what went wrong, in words.
        sent: whether the service may have acted on the request.
        final: whether trying again is of no use.
    """

    reason: str
    sent: bool = True
    final: bool = False


class Pause(Value):
    """Wait that many seconds."""

    seconds: float


T = TypeVar("T")
Call = Generator[Request | Pause, Response | Failure | None, T]
