"""Faults on demand, for those who test how their own program takes them; and a log of requests.

A fault is written as ``METHOD PATH=ACTION``: ``POST /projects=423x2`` answers the next two with
423, ``GET /projects/*=2s`` delays, ``* /projects*=cut`` closes the connection without an answer.
A path is one of Neon API v2's, and may have ``*`` in it. Without ``xN`` a fault stays.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neonup import ProviderError
from neonup_emulator.api import refusal
from neonup_emulator.api.refusal import BASE

_REMEMBERED = 1000
_SECRET = re.compile(r"(/transfer_requests)/[^/]+")
"""What an address holds that opens a project to whoever knows it."""
_FAULT = re.compile(
    r"(?P<method>[A-Z]+|\*) (?P<path>[/*]\S*?)="
    r"(?:(?P<status>[45]\d\d)|(?P<seconds>\d+(?:\.\d+)?)s|(?P<cut>cut))(?:x(?P<times>\d+))?"
)


@dataclass
class Fault:
    """What happens to requests.

    Args:
        text: as it was written.
        times: how many more requests it happens to; None: to all.
    """

    text: str
    method: str
    path: str
    status: int | None = None
    seconds: float = 0.0
    cut: bool = False
    times: int | None = None

    def meets(self, method: str, path: str) -> bool:
        """Whether it happens to this request; counts the request if so."""
        if self.times == 0 or self.method not in ("*", method):
            return False
        if not fnmatchcase(path, self.path):
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True)
class LoggedRequest:
    """A request, as the log has it: no header, no body, no parameter's value."""

    at: float
    method: str
    path: str
    status: int
    milliseconds: float


@dataclass
class Faults:
    """The faults of a server, and the requests that it has seen."""

    faults: list[Fault] = field(default_factory=list)
    seen: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def shown(self) -> list[dict[str, object]]:
        """The log, oldest first."""
        return [asdict(logged) for logged in self.seen]


def parse(text: str) -> Fault:
    """A fault, as it is written.

    Raises:
        ProviderError: the text does not have the form of a fault.
    """
    fault = _FAULT.fullmatch(text.strip())
    if fault is None:
        raise ProviderError(
            f"{text!r} is not a fault.",
            remedy="Write it like 'POST /projects=423x2', 'GET /projects/*=2s' or '* /*=cut'.",
        )
    times = fault["times"]
    return Fault(
        text=text.strip(),
        method=fault["method"],
        path=fault["path"],
        status=int(fault["status"]) if fault["status"] else None,
        seconds=float(fault["seconds"] or 0),
        cut=bool(fault["cut"]),
        times=int(times) if times else None,
    )


class Injector:
    """Lets faults happen to requests of Neon API v2, and writes each request down."""

    def __init__(self, app: ASGIApp, faults: Faults):
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or let the application answer."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{BASE}/"):
            await self._app(scope, receive, send)
            return
        begun, status = time.time(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        method, path = scope["method"], scope["path"].removeprefix(BASE)
        try:
            await self._answer(method, path, scope, receive, noting)
        finally:
            spent = (time.time() - begun) * 1000
            shown = _SECRET.sub(r"\1/...", path)
            self._faults.seen.append(LoggedRequest(begun, method, shown, status, round(spent, 1)))

    async def _answer(
        self, method: str, path: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        for fault in self._faults.faults:
            if not fault.meets(method, path):
                continue
            await asyncio.sleep(fault.seconds)
            if fault.cut:
                await _cut(send)
                return
            if fault.status is not None:
                shown = refusal.content(scope, f"the fault {fault.text}")
                headers = {"retry-after": "1"} if fault.status in (423, 429, 503) else None
                await JSONResponse(shown, fault.status, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _cut(send: Send) -> None:
    """Begin an answer that is never finished: the server closes the connection then."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
