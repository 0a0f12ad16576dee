"""A Neon API that misbehaves: a real HTTP server that answers what a test wants."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CUT = "cut"
"""The connection is closed once the request was received."""


@dataclass(frozen=True)
class Reply:
    """An answer.

    Args:
        body: sent as JSON, or as it is if it is text.
        slow: seconds before each byte.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    slow: float = 0


@dataclass
class Hostile:
    """Where it is, what it was asked, and what it answers to that, in order; the last answer is
    given again and again."""

    base: str
    answers: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def next(self, request: str) -> Any:
        self.asked.append(request)
        self.times.append(time.monotonic())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request) if isinstance(answer, Callable) else answer  # type: ignore[arg-type]


@contextmanager
def hostile(*answers: Any) -> Iterator[Hostile]:
    """It answers so until the end of the block: each a `Reply`, `CUT`, or a function of the
    request (``GET /api/v2/...``) that returns one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            here.keys.append(self.headers.get("authorization", ""))
            reply = here.next(f"{self.command} {self.path}")
            self.close_connection = reply == CUT
            if reply == CUT:
                return
            text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
            content = b"" if reply.body is None else text.encode()
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(content)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            step = 1 if reply.slow else max(1, len(content))
            try:
                for at in range(0, len(content), step):
                    time.sleep(reply.slow)
                    self.wfile.write(content[at : at + step])
            except OSError:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

        def log_message(self, *words: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    here = Hostile(f"http://localhost:{server.server_address[1]}/api/v2", list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusal(status: int, message: str = "no", code: str = "", **headers: str) -> Reply:
    """An error as Neon's API words it."""
    body = {"request_id": f"request-{status}", "code": code, "message": message}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
