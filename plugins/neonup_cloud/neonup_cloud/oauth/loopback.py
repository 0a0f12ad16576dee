"""A listener on this machine that the browser returns to (RFC 8252, 7.3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from neonup_cloud.oauth.errors import SignInError

PATH = "/callback"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>neonup</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto;
padding: 0 1rem }}</style><main><h1>{title}</h1><p>{text}</p></main></html>
"""
_BACK = "neonup goes on in your terminal. You can close this window."


class Loopback:
    """Waits for the browser to come back.

    Args:
        port: where it listens.
    """

    def __init__(self, port: int):
        self.redirect_uri = f"http://127.0.0.1:{port}{PATH}"
        self._query = ""
        self._came = threading.Event()

    def wait(self, seconds: float) -> str:
        """Wait for the browser, and return the address that it requested.

        Raises:
            SignInError: it did not within that time.
        """
        if not self._came.wait(seconds):
            raise SignInError(
                f"Nobody has signed in within {seconds:g} seconds.",
                checked=(f"nothing has come to {self.redirect_uri}",),
                remedy="Try again. Where the browser is on another machine, forward the port: "
                "neonup auth login --no-open --port 8976, and there ssh -L 8976:127.0.0.1:8976.",
            )
        return f"{self.redirect_uri}?{self._query}"

    def came(self, query: str) -> None:
        """Record the browser's return; only the first one counts."""
        if not self._came.is_set():
            self._query = query
            self._came.set()


@contextmanager
def listening(port: int = 0) -> Iterator[Loopback]:
    """Listen on this machine alone until the end of the block.

    Args:
        port: 0: one that is free.

    Raises:
        SignInError: the port is not free.
    """
    try:
        server = _Server(("127.0.0.1", port), _Handler)
    except OSError as error:
        raise SignInError(
            f"Port {port} of this machine cannot be listened on: {error.strerror}.",
            remedy="Choose another --port, or none: then a free one is taken.",
        ) from None
    server.loopback = Loopback(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.loopback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    """A thread a connection: browsers open some in advance, on which they say nothing."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = False
    loopback: Loopback


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != PATH or not parts.query:
            self._answer(404, "Not found", "Nothing is here.")
            return
        denied = "error=" in parts.query
        self._answer(200, "Nobody was signed in" if denied else "Back from Neon", _BACK)
        self.server.loopback.came(parts.query)

    def _answer(self, status: int, title: str, text: str) -> None:
        content = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(content)))
        self.send_header("cache-control", "no-store")
        self.send_header("referrer-policy", "no-referrer")  # the address has the code in it
        self.send_header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Nothing: the address has the code in it."""
