"""A proxy before the local Neon that holds requests, cuts connections, or answers itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests import asking
from tests.emulator.oauth import root_of
from tests.emulator.serving import NeonServer
from tests.waiting import PATIENCE


class Wire:
    """What happens to requests; without more they are passed on.

    Args:
        target: the server behind it.
    """

    def __init__(self, target: str):
        self.target = target
        self.root = ""
        self.held = threading.Event()
        self.seen: list[str] = []
        self._release = threading.Event()
        self._what: dict[str, tuple[str, int, bytes]] = {}

    def hold(self, request: str) -> None:
        """Answer such a request, like ``POST /oauth2/token``, only after `go_on`."""
        self._what[request] = ("hold", 0, b"")

    def go_on(self) -> None:
        self._release.set()

    def cut(self, request: str, *, before_it_arrives: bool) -> None:
        """End the connection instead of an answer."""
        self._what[request] = ("drop" if before_it_arrives else "cut", 0, b"")

    def answer(self, request: str, status: int, body: bytes) -> None:
        """Answer without asking the server."""
        self._what[request] = ("answer", status, body)

    def mend(self) -> None:
        self._what.clear()

    def handle(self, request: str, handler: BaseHTTPRequestHandler) -> None:
        self.seen.append(request)
        length = int(handler.headers.get("content-length") or 0)
        body = handler.rfile.read(length)
        what, status, content = self._what.get(request, ("", 0, b""))
        headers = {"content-type": "application/json"}
        if what == "drop":
            handler.connection.close()
            return
        if what != "answer":
            sent = {name.lower(): value for name, value in handler.headers.items()}
            sent["host"] = self.target.partition("//")[2]
            found = asking.request(
                handler.command, self.target + handler.path, headers=sent, content=body, timeout=60
            )
            status, headers = found.status_code, {"content-type": found.headers["content-type"]}
            content = found.content.replace(self.target.encode(), self.root.encode())
        if what == "hold":
            self.held.set()
            self._release.wait(PATIENCE)
        if what == "cut":
            handler.connection.close()
            return
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(content)))
        handler.send_header("connection", "close")
        handler.end_headers()
        handler.wfile.write(content)


@contextmanager
def wire(server: NeonServer) -> Iterator[Wire]:
    """A proxy before that server, until the end of the block."""
    found = Wire(root_of(server))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.handle(f"{self.command} {self.path.partition('?')[0]}", self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None: ...

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    found.root = f"http://127.0.0.1:{proxy.server_port}"
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.go_on()
        proxy.shutdown()
        proxy.server_close()
        thread.join()
