"""Asking a service: tries, back-off, redirects, and what is said when all of it was of no use."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from neonup.errors import ServiceError
from neonup.http.answers import explanation
from neonup.http.calls import Call, Failure, Pause, Request, Response
from neonup.values import Value

E = TypeVar("E", bound=ServiceError)
BACK_OFF = 0.4
"""Seconds before the second try, doubled for each one after; half of it is left to chance."""
REDIRECTS = 3


class Policy(Value):
    """When a request is sent again.

    Args:
        tries: how often it is sent at most.
        refused: statuses that say: not now. Whatever was asked for has not been done.
        failed: whether a 5xx says the same, except 504, which is a gateway's. Otherwise it counts
            as an answer that was lost: only a repeatable request is sent again.
        longest_pause: seconds that a service may ask for with ``Retry-After`` before the call
            gives up instead.
    """

    tries: int = 3
    refused: frozenset[int] = frozenset({429})
    failed: bool = True
    longest_pause: float = 20.0

    def again(self, reply: Response) -> bool:
        """Whether the response is a transient failure, so that the request may be sent again."""
        return reply.status in self.refused or reply.status >= 500

    def harmless(self, request: Request, reply: Response) -> bool:
        """Whether the request can be sent once more without being carried out twice."""
        if request.repeatable or reply.status in self.refused:
            return True
        return self.failed and reply.status != 504


DEFAULT = Policy()


class Service(Value):
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

    def unusable(self, request: Request, reply: Response, why: str) -> ServiceError:
        """The error that an answer was not what the service promises."""
        return self.error(
            request,
            f"the answer cannot be used: {why}",
            checked=(f"status {reply.status}, {len(reply.body)} bytes",),
            status=reply.status,
        )


class Outcome(Value):
    """What came of a request in the end, and of each try, in words.

    Args:
        repeated: whether an earlier try may have been carried out, its answer being lost.
    """

    reply: Response | Failure
    tried: tuple[str, ...]
    repeated: bool = False


def fetch(service: Service, request: Request, policy: Policy = DEFAULT) -> Call[Response]:
    """Send a request, again where that may help, and follow redirects within the same origin.

    Returns:
        any answer that is neither a redirect nor 429 or 5xx.

    Raises:
        ServiceError: there was none.
    """
    outcome = yield from attempt(service, request, policy)
    if isinstance(outcome.reply, Response) and not policy.again(outcome.reply):
        return outcome.reply
    raise _given_up(service, request, outcome)


def attempt(service: Service, request: Request, policy: Policy) -> Call[Outcome]:
    """As `fetch`, but the last answer is returned, whatever it is.

    Raises:
        ServiceError: it redirects to where it must not.
    """
    tried: list[str] = []
    asked = request
    redirects = 0
    repeated = False
    while True:
        reply = (yield request) or Failure("no answer")
        if isinstance(reply, Response) and reply.status in {301, 302, 303, 307, 308}:
            redirects += 1
            request = _redirected(service, asked, request, reply, last=redirects > REDIRECTS)
            continue
        tried.append(_summary(reply))
        pause = _pause(policy, request, reply, len(tried))
        if pause is None:
            return Outcome(reply, tuple(tried), repeated)
        refused = isinstance(reply, Response) and reply.status in policy.refused
        repeated |= not refused and (isinstance(reply, Response) or reply.sent)
        yield Pause(pause)


def _summary(reply: Response | Failure) -> str:
    return f"status {reply.status}" if isinstance(reply, Response) else reply.reason


def _pause(policy: Policy, request: Request, reply: Response | Failure, tries: int) -> float | None:
    """How many seconds to wait before the next try; None if there is none."""
    if tries >= policy.tries:
        return None
    seconds = BACK_OFF * 2.0 ** (tries - 1) * random.uniform(0.5, 1)  # noqa: S311 - not a secret
    if isinstance(reply, Failure):
        return None if reply.final or (reply.sent and not request.repeatable) else seconds
    if not policy.again(reply) or not policy.harmless(request, reply):
        return None
    wanted = retry_after(reply.headers.get("retry-after", ""))
    return None if wanted > policy.longest_pause else max(seconds, wanted)


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
        current, following = urlsplit(request.url), urlsplit(target)
    except ValueError:
        raise service.error(
            asked, "the answer redirects without giving a URL", status=reply.status
        ) from None
    if (current.scheme, current.netloc) != (following.scheme, following.netloc):
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
    return request.with_(url=target)


def _host(url: str) -> str:
    """The scheme and host of a URL that a stranger sent, fit to be shown."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in f"{parts.scheme}://{host}")[:100]


def failed(
    service: Service,
    request: Request,
    outcome: Outcome,
    *,
    reason: str,
    kind: Callable[..., E],
    checked: tuple[str, ...] = (),
    remedy: str | None = None,
    **details: str | None,
) -> E:
    """The error of a request that was given up, or refused: what was asked, and how often.

    Args:
        reason: why, where the service answered; where it did not, the outcome tells it.
        kind: the class of the error, a `ServiceError`.
        checked: what else was looked at.
        remedy: what to do.
        details: what the class takes beside the arguments of `ServiceError`.
    """
    reply, tried, wanted = outcome.reply, outcome.tried, 0.0
    tries = "" if len(tried) == 1 else f" ({len(tried)} tries)"
    different = (f"tries: {'; '.join(tried)}",) if len({*tried}) > 1 else ()
    if isinstance(reply, Failure):
        reached = "no usable answer" if reply.sent else "the service cannot be reached"
        what, status = f"{reached}{tries}: {reply.reason}", None
    else:
        wanted = retry_after(reply.headers.get("retry-after", ""))
        pause = f"; it asks to wait {wanted:.0f} s" if wanted else ""
        what, status = f"{reason}{pause}{tries}", reply.status
    error = kind(
        f"{service.name}: {what}.",
        checked=(str(request), *different, *checked),
        remedy=remedy,
        status=status,
        **details,
    )
    error.retry_after = wanted
    return error


def _given_up(service: Service, request: Request, outcome: Outcome) -> ServiceError:
    reply, reason = outcome.reply, ""
    if isinstance(reply, Response):
        reason = f"the service failed with status {reply.status}{explanation(reply)}"
        if reply.status == 429:
            reason = "too many requests from here"
    return failed(
        service, request, outcome, reason=reason, kind=ServiceError, remedy=service.remedy
    )


def json_object(service: Service, request: Request, reply: Response) -> dict[str, Any]:
    """The JSON object that an answer is."""
    import json

    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        kind = reply.headers.get("content-type", "").partition(";")[0].strip()
        page = "an HTML page" if kind == "text/html" else "not JSON, or not all of it"
        raise service.unusable(request, reply, f"it is {page}") from None
    if not isinstance(content, dict):
        raise service.unusable(request, reply, "it is JSON, but not an object")
    return content
