"""What stands between a client and a local Neon: it can lose answers, or hold them back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

_HOP = {"connection", "content-length", "date", "server", "transfer-encoding"}


@dataclass
class Relay:
    """Where it is, and what happens to answers.

    Args:
        base: in front of the API's base, as `NEON_API_HOST`.
        root: of the server.
        lose: ``METHOD PATH`` patterns; the answer to the next such request is not passed on. The
            request is: it was carried out.
        hold: the same; the answer comes never, and the connection stays open until the end.
        late: the same; such a request is answered with 504 and carried out when the next one comes.
        garble: the same; its answer is of another form.
        before: what is done before the first request that a pattern fits is passed on.
        held: set once a request is carried out whose answer is held back.
        meet: what happens to a request: a status, with which it is answered without being carried
            out; ``lose``, ``hold`` as above; ``fail``: carried out and answered with 500; ``cut``:
            not carried out, and the connection is closed.
        change: is given a request, its body and the answer's, and returns what is passed on.
        retry_after: what a status of ``meet`` comes with, as ``Retry-After``.
        asked: ``METHOD PATH`` of all requests.
    """

    base: str
    root: str
    lose: list[str] = field(default_factory=list)
    hold: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    garble: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], object]] = field(default_factory=dict)
    held: threading.Event = field(default_factory=threading.Event)
    meet: Callable[[str], int | str | None] = lambda _: None
    change: Callable[[str, bytes, bytes], bytes] = lambda _, __, content: content
    retry_after: str | None = None
    asked: list[str] = field(default_factory=list)


FAULTS: tuple[int | str, ...] = (423, 429, 500, "fail", "lose", "cut")
"""What `Relay.meet` does to requests that a client can make up for."""


def first_time(fault: int | str) -> Callable[[str], int | str | None]:
    """For `Relay.meet`: each request meets the fault the first time that it is asked."""
    seen: set[str] = set()

    def meet(request: str) -> int | str | None:
        new = request not in seen
        seen.add(request)
        return fault if new else None

    return meet


@contextmanager
def relaying(base: str) -> Iterator[Relay]:
    """A relay before an API, until the end of the block."""
    upstream = base.removesuffix("/api/v2")
    ended = threading.Event()
    waiting: dict[str, Callable[[], httpx.Response]] = {}
    client = httpx.Client(timeout=60, trust_env=False, verify=False)

    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP}
            request = f"{self.command} {self.path.partition('?')[0]}"
            relay.asked.append(request)

            def carry_out() -> httpx.Response:
                return client.request(
                    self.command, upstream + self.path, content=body, headers=headers
                )

            for pattern in [one for one in relay.before if fnmatchcase(request, one)]:
                relay.before.pop(pattern)()
            met = relay.meet(request)
            if isinstance(met, int):
                self.send_response(met)
                if relay.retry_after is not None:
                    self.send_header("retry-after", relay.retry_after)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            if met == "cut":
                self.close_connection = True
                return
            if _taken(relay.late, request):
                waiting[request] = carry_out
                self.send_error(504)
                return
            if request in waiting:
                waiting.pop(request)()
            answer = carry_out()
            if met == "fail":
                self.send_error(500)
                return
            if met == "lose" or _taken(relay.lose, request):
                self.close_connection = True
                return
            if met == "hold" or _taken(relay.hold, request):
                relay.held.set()
                ended.wait(60)
                self.close_connection = True
                return
            content = relay.change(request, body, answer.content)
            content = b'{"project": 5}' if _taken(relay.garble, request) else content
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _pass  # noqa: N815 - http.server's names

        def log_message(self, *words: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    root = f"http://localhost:{server.server_address[1]}"
    relay = Relay(f"{root}/api/v2", root)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield relay
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()


def _taken(patterns: list[str], request: str) -> bool:
    for pattern in patterns:
        if fnmatchcase(request, pattern):
            patterns.remove(pattern)
            return True
    return False
