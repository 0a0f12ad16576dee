"""Sending one request with httpx: bounded in time and in size, every failure told in words."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from neonup.http.calls import Failure, Request, Response

CONNECT = 10.0
"""Seconds for a connection; a request as a whole has its own, later limit."""
LARGEST_BODY = 1_000_000
"""Bytes of an answer that are read; the services' own are a few hundred."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",  # nothing to unpack, so a body is as large as it says
    "user-agent": "neonup",
}


_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_HOPELESS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def _connect(timeout: float) -> float:
    return min(CONNECT, timeout / 2)


def client_options(url: str, timeout: float) -> dict[str, Any]:
    """What httpx is to use for this host; a TLS context is made only where there is TLS."""
    parts = urlsplit(url)
    return {
        "headers": _HEADERS,
        "timeout": httpx.Timeout(timeout, connect=_connect(timeout)),
        "verify": httpx.create_ssl_context() if parts.scheme == "https" else False,
        "trust_env": parts.hostname not in _LOOPBACK,  # no proxy leads to this machine itself
    }


class Sender:
    """Sends requests to one origin.

    Args:
        timeout: seconds that one request may take as a whole.
        auth: adds what proves who asks.
        transport: instead of httpx's own.
        largest_body: bytes of an answer that are read.
    """

    def __init__(
        self,
        timeout: float,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
        largest_body: int = LARGEST_BODY,
    ):
        self._timeout = timeout
        self._more = {"auth": auth, "transport": transport}
        self._largest = largest_body
        self._client: httpx.Client | None = None
        self._making = threading.Lock()  # threads may share a sender

    def close(self) -> None:
        if self._client:
            self._client.close()

    def send(self, request: Request) -> Response | Failure:
        with _deadline(self._timeout) as deadline:
            try:
                with self._client_for(request.url).stream(
                    request.method,
                    request.url,
                    json=request.body,
                    data=request.form,
                    headers=request.headers,
                    extensions={"trace": deadline.trace},
                ) as response:
                    body = LimitedBody(response, self._largest)
                    for chunk in response.iter_raw():
                        body.add(chunk)
                    return body.response()
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                return failure_of(error, self._timeout, self._largest, late=deadline.passed)

    def _client_for(self, url: str) -> httpx.Client:
        with self._making:
            if self._client is None:
                self._client = httpx.Client(**client_options(url, self._timeout) | self._more)
            return self._client


class _TooLargeError(ValueError):
    """The answer is longer than any of this service's."""


class LimitedBody:
    """An answer's body as it comes in; ValueError as soon as it is too large."""

    def __init__(self, response: httpx.Response, largest: int):
        self._response = response
        self._largest = largest
        self._content = bytearray()
        length = response.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > largest:
            raise _TooLargeError

    def add(self, chunk: bytes) -> None:
        self._content += chunk
        if len(self._content) > self._largest:
            raise _TooLargeError

    def response(self) -> Response:
        headers = {name.lower(): value for name, value in self._response.headers.items()}
        return Response(self._response.status_code, headers, bytes(self._content))


class _Deadline:
    """Ends a connection from outside: httpx's own limits are for each read, and a read of one byte
    starts its time again."""

    def __init__(self) -> None:
        self.passed = False
        self._sockets: list[socket.socket] = []

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """httpx calls it on the way; the connection's socket is kept."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            tcp_socket = info["return_value"].get_extra_info("socket")
            if isinstance(tcp_socket, socket.socket):
                self._sockets.append(tcp_socket)

    def expire(self) -> None:
        self.passed = True
        for tcp_socket in self._sockets:
            try:
                tcp_socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # closed already, or handed on to TLS


@contextmanager
def _deadline(seconds: float) -> Iterator[_Deadline]:
    deadline = _Deadline()
    timer = threading.Timer(seconds, deadline.expire)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()


def failure_of(error: Exception, timeout: float, largest: int, *, late: bool) -> Failure:
    """Why there is no usable answer, by what httpx raised; ``late``: the time was up before."""
    if late or isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return Failure(f"no complete answer within {timeout:g} s")
    if isinstance(error, _TooLargeError):
        return Failure(f"the answer is larger than {largest / 1e6:g} MB", final=True)
    if isinstance(error, httpx.ConnectTimeout):
        return Failure(f"no connection within {_connect(timeout):g} s", sent=False)
    if isinstance(error, _UNSENT):
        words = _words(error)
        return Failure(words, sent=False, final="certificate" in words.lower())
    if isinstance(error, _HOPELESS) or not isinstance(error, httpx.HTTPError):
        return Failure(_words(error), sent=False, final=True)
    return Failure(f"the answer was cut off or malformed ({_words(error)})")


def _words(error: BaseException) -> str:
    """The first cause: of the layers between, some only say that all attempts failed."""
    while inner := error.__cause__ or (not isinstance(error, OSError) and error.__context__):
        error = inner
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).rstrip(".")
