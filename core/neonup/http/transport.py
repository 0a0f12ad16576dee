"""Sending one request: bounded in time and in size, every failure told in words.

The standard library does it, so that a project which only wants a database gets no HTTP client with
it. A request has a connection of its own; those of neonup_cloud stay open.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from neonup.http.calls import Failure, Request, Response

CONNECT = 10.0
"""Seconds for a connection; a request as a whole has its own, later limit."""
LARGEST_BODY = 1_000_000
"""Bytes of an answer that are read; the services' own are a few hundred."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = {
    "accept": "application/json",
    "accept-encoding": "identity",  # nothing to unpack, so a body is as large as it says
    "connection": "close",
    "user-agent": "neonup",
}


class _TooLargeError(ValueError):
    """The answer is longer than any of this service's."""


@dataclass(frozen=True)
class Sender:
    """Sends requests.

    Args:
        timeout: seconds that one request may take as a whole.
    """

    timeout: float

    def send(self, request: Request) -> Response | Failure:
        """The whole answer, or why there is none."""
        sent = False
        connect = min(CONNECT, self.timeout / 2)
        with _deadline(self.timeout) as deadline:
            try:
                connection, target = _connection(urlsplit(request.url), connect, deadline)
                try:
                    connection.connect()
                    connection.sock.settimeout(self.timeout)
                    sent = True
                    body, headers = _content(request)
                    connection.request(request.method, target, body, headers)
                    return _answer(connection.getresponse())
                finally:
                    connection.close()
            except (HTTPException, OSError, ValueError) as error:
                if deadline.passed or (sent and isinstance(error, TimeoutError)):
                    return Failure(f"no complete answer within {self.timeout:g} s")
                if isinstance(error, TimeoutError):
                    return Failure(f"no connection within {connect:g} s", sent=False)
                return _failure(error, sent=sent)


class _Deadline:
    """Ends a connection from outside: a socket's own limit is for each read, and a read of one byte
    starts its time again."""

    def __init__(self) -> None:
        self.passed = False
        self._socket: socket.socket | None = None

    def watch(self, connected: socket.socket) -> None:
        """From now on this is the connection to end."""
        self._socket = connected
        if self.passed:
            self.expire()

    def expire(self) -> None:
        """End the connection."""
        self.passed = True
        if self._socket is not None:
            with suppress(OSError):  # closed already
                self._socket.shutdown(socket.SHUT_RDWR)


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


class _Connection(HTTPConnection):
    """A connection that a deadline can end, its TLS handshake included."""

    def __init__(
        self, host: str, port: int, timeout: float, deadline: _Deadline, tls_name: str | None
    ):
        super().__init__(host, port, timeout=timeout)
        self._deadline, self._tls_name = deadline, tls_name

    def connect(self) -> None:
        super().connect()  # through a proxy's tunnel, if one was set
        if self._tls_name is not None:
            self.sock = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self._tls_name, do_handshake_on_connect=False
            )
        self._deadline.watch(self.sock)
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.do_handshake()


def _connection(
    url: SplitResult, timeout: float, deadline: _Deadline
) -> tuple[HTTPConnection, str]:
    """A connection that leads to a URL's host, and what to ask for there.

    Raises:
        ValueError: the URL, or that of the proxy, cannot be used.
    """
    tls = url.scheme == "https"
    host, port = url.hostname, url.port or (443 if tls else 80)
    if not host or url.scheme not in ("http", "https"):
        raise ValueError("the URL has no host, or is neither http nor https")
    target = f"{url.path or '/'}{f'?{url.query}' if url.query else ''}"
    proxy = _proxy(url.scheme, host)
    if proxy is None:
        return _Connection(host, port, timeout, deadline, host if tls else None), target
    if proxy.scheme != "http" or not proxy.hostname:
        raise ValueError(f"the proxy must be an http one: {proxy.scheme}://{proxy.hostname}")
    headers = {}
    if proxy.username is not None:
        user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        headers["proxy-authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    connection = _Connection(
        proxy.hostname, proxy.port or 80, timeout, deadline, host if tls else None
    )
    connection.set_tunnel(host, port, headers)
    return connection, target


def _proxy(scheme: str, host: str) -> SplitResult | None:
    """The proxy that the environment names for a host; no proxy leads to this machine itself."""
    if host in _LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None


def _content(request: Request) -> tuple[bytes | None, dict[str, str]]:
    headers = {**_HEADERS, **request.headers}
    if request.form is not None:
        kind, body = "application/x-www-form-urlencoded", urlencode(request.form).encode()
    elif request.body is not None:
        kind, body = "application/json", json.dumps(request.body).encode()
    else:
        return None, headers
    return body, {**headers, "content-type": kind}


def _answer(response: HTTPResponse) -> Response:
    """The whole answer, refused as soon as it is too large."""
    content = bytearray()
    while len(content) + (response.length or 0) <= LARGEST_BODY:
        chunk = response.read1(1 << 16)
        if not chunk:
            if response.length:
                raise IncompleteRead(bytes(content), response.length)
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, headers, bytes(content))
        content += chunk
    raise _TooLargeError


def _failure(error: Exception, *, sent: bool) -> Failure:
    if isinstance(error, _TooLargeError):
        return Failure(f"the answer is larger than {LARGEST_BODY / 1e6:g} MB", final=True)
    words = _words(error)
    if sent and not isinstance(error, UnicodeError):
        return Failure(f"the answer was cut off or malformed ({words})")
    final = not isinstance(error, OSError) or "certificate" in words.lower()
    return Failure(words, sent=False, final=final)


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).rstrip(".")
