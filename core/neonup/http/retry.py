"""Asking a service: tries, back-off, redirects, and what is said when all of it was of no use."""

from __future__ import annotations

import random
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from neonup.errors import ServiceError
from neonup.http.calls import Call, Failure, Pause, Request, Response

TRIES = 3
BACK_OFF = 0.4
"""Seconds before the second try, doubled for each one after; half of it is left to chance."""
LONGEST_PAUSE = 20.0
"""Seconds that a service may ask for with ``Retry-After`` before the call gives up instead."""
REDIRECTS = 3


@dataclass(frozen=True)
class Service:
    """Whom a call talks to, for its messages.

    Args:
        name: what users call it.
        remedy: what to do when it cannot be used.
    """

    name: str
    remedy: str

    def error(
        self,
        request: Request,
        what: str,
        *,
        checked: tuple[str, ...] = (),
        status: int | None = None,
        remedy: str | None = None,
    ) -> ServiceError:
        """The error that tells what was asked, what came of it and what to do."""
        return ServiceError(
            f"{self.name}: {what}.",
            checked=(str(request), *checked),
            remedy=remedy or self.remedy,
            status=status,
        )


def fetch(service: Service, request: Request) -> Call[Response]:
    """Send a request, again where that may help, and follow redirects within the same origin.

    Returns:
        any answer that is neither a redirect nor 429 or 5xx.

    Raises:
        ServiceError: there was none.
    """
    tried: list[str] = []
    asked = request
    redirects = 0
    while True:
        reply = yield request
        if isinstance(reply, Response) and reply.status in {301, 302, 303, 307, 308}:
            redirects += 1
            request = _redirected(service, asked, request, reply, last=redirects > REDIRECTS)
            continue
        if isinstance(reply, Response) and reply.status != 429 and reply.status < 500:
            return reply
        tried.append(_told(reply))
        pause = _pause(request, reply, len(tried))
        if pause is None:
            raise _given_up(service, asked, reply, tried)
        yield Pause(pause)


def _told(reply: Response | Failure | None) -> str:
    if isinstance(reply, Response):
        return f"status {reply.status}"
    return reply.reason if reply else "no answer"


def _pause(request: Request, reply: Response | Failure | None, tries: int) -> float | None:
    """How many seconds to wait before the next try; None if there is none."""
    if tries >= TRIES:
        return None
    seconds = BACK_OFF * 2.0 ** (tries - 1) * random.uniform(0.5, 1)  # noqa: S311 - not a secret
    if isinstance(reply, Failure):
        return None if reply.final or (reply.sent and not request.repeatable) else seconds
    if isinstance(reply, Response):
        if reply.status == 504 and not request.repeatable:  # the gateway gave up, the rest may not
            return None
        wanted = retry_after(reply.headers.get("retry-after", ""))
        if wanted > LONGEST_PAUSE:
            return None
        return max(seconds, wanted)
    return seconds


def retry_after(value: str) -> float:
    """The seconds that a ``Retry-After`` header asks for (RFC 9110, 10.2.3); 0 where it is none."""
    if value.strip().isdecimal():
        return float(value)
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _redirected(
    service: Service, asked: Request, request: Request, reply: Response, *, last: bool
) -> Request:
    try:
        target = urljoin(request.url, reply.headers.get("location", ""))
        here, there = urlsplit(request.url), urlsplit(target)
    except ValueError:
        raise service.error(
            asked, "the answer redirects without giving a URL", status=reply.status
        ) from None
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise service.error(
            asked,
            f"the service redirects to another host, {_host(target)}; this was not followed",
            status=reply.status,
            remedy="If the service has moved, configure its new base URL.",
        )
    if last or target == request.url:
        raise service.error(asked, "the answers redirect in a loop", status=reply.status)
    if request.method != "GET" and reply.status not in {307, 308}:
        raise service.error(asked, "the request was redirected", status=reply.status)
    return Request(request.method, target, request.body, request.repeatable)


def _host(url: str) -> str:
    """The scheme and host of a URL that a stranger sent, fit to be shown."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in f"{parts.scheme}://{host}")[:100]


def _given_up(
    service: Service, request: Request, reply: Response | Failure | None, tried: list[str]
) -> ServiceError:
    tries = "" if len(tried) == 1 else f" ({len(tried)} tries)"
    checked = (f"tries: {'; '.join(tried)}",) if len({*tried}) > 1 else ()
    if not isinstance(reply, Response):
        reached = isinstance(reply, Failure) and reply.sent
        what = "no usable answer" if reached else "the service cannot be reached"
        return service.error(request, f"{what}{tries}: {_told(reply)}", checked=checked)
    what = f"the service failed with status {reply.status}{said(reply)}{tries}"
    if reply.status == 429:
        wanted = retry_after(reply.headers.get("retry-after", ""))
        asked = f"; it asks to wait {wanted:.0f} s" if wanted else ""
        what = f"too many requests from here{asked}{tries}"
    return service.error(request, what, checked=checked, status=reply.status)


def said(reply: Response) -> str:
    """What a failed answer says of itself, ready to be appended to a message; or nothing."""
    import json

    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return ""
    found = [content.get(name) for name in ("message", "error", "hint")]
    texts = dict.fromkeys(text for text in found if isinstance(text, str) and text)
    shown = "; ".join(texts)[:300]
    shown = "".join(c if c.isprintable() else " " for c in shown)
    return f": {shown}" if shown else ""
