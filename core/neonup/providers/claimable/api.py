"""The calls of claimable.neon.tech, the agent identity API.

The service's guide: https://neon.com/auth.md; its source: https://github.com/neondatabase/claimable-neon
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from neonup.errors import ServiceError
from neonup.http.calls import Call, Request, Response
from neonup.http.retry import Policy, Service, fetch
from neonup.providers import validation

T = TypeVar("T")

BASE = "https://claimable.neon.tech"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
INVALID_GRANT, EXPIRED, CLAIMED = "invalid_grant", "project_expired", "project_claimed"
TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a code
ENDS = frozenset({INVALID_GRANT, EXPIRED, CLAIMED})
"""The codes, and the only ones, that say that the secret is worth nothing any more."""

SERVICE = Service(
    "claimable.neon.tech",
    'Try again later, or use a database on this machine: pip install "neonup[local]" and '
    'provider = "local" (NEONUP_PROVIDER=local).',
)
_POLICY = Policy(failed=False)
"""A 5xx may come after a project was created."""


class AgentError(ServiceError):
    """The service refused.

    Args:
        reason: the service's code, e.g. ``project_claimed``; empty if it gave none.
    """

    def __init__(self, message: str, *, reason: str, checked: Sequence[str], status: int):
        super().__init__(message, checked=checked, remedy=SERVICE.remedy, status=status)
        self.reason = reason

    @property
    def ends(self) -> bool:
        """Whether the secret is worth nothing any more."""
        return self.reason in ENDS


@dataclass(frozen=True)
class Registration:
    """A new identity with its project.

    Args:
        assertion: the secret.
        denied: the capabilities that were not granted, with the reason.
    """

    project_id: str
    assertion: str = field(repr=False)
    expires_at: datetime | None
    denied: dict[str, str]


@dataclass(frozen=True)
class Credentials:
    """How the database is reached now."""

    url: str = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True)
class ClaimCode:
    """What a person claims the project with.

    Args:
        text: typed on the page.
        page: where; ``link`` holds the code already.
        seconds: how long it is good.
        interval: seconds between two looks at the claim's state.
    """

    text: str = field(repr=False)
    page: str
    link: str = field(repr=False)
    seconds: int
    interval: float


def register(base: str, *, capabilities: Sequence[str], source: str) -> Call[Registration]:
    """A new identity and project. One whose answer was lost expires by itself.

    Args:
        base: the service's root, without a slash at its end.
        capabilities: what is asked for beside ``postgres``.
        source: who asks.

    Raises:
        ServiceError: the service failed, or answered with something that cannot be used.
    """
    body = {"type": "anonymous", "capabilities": [*capabilities], "source": source}
    request = Request("POST", f"{base}/v1/agent/identity", body, repeatable=False)
    return (yield from _ask(request, _registered))


def exchange(base: str, assertion: str) -> Call[str]:
    """An access token, good for minutes, for the secret.

    Raises:
        AgentError: among others with a reason of `ENDS`.
    """
    form = {"grant_type": JWT_BEARER, "assertion": assertion, "resource": f"{base}/"}
    request = Request("POST", f"{base}/v1/oauth2/token", form=form)
    return (yield from _ask(request, lambda found: _text(found, "access_token")))


def credentials(base: str, project_id: str, token: str) -> Call[Credentials]:
    """How the database is reached."""
    request = Request("GET", f"{base}/v1/projects/{project_id}/credentials", token=token)
    return (yield from _ask(request, _credentials))


def begin_claim(base: str, project_id: str, token: str) -> Call[ClaimCode]:
    """A new code; it ends an earlier one that nobody has used."""
    request = Request("POST", f"{base}/v1/projects/{project_id}/claim", token=token)
    return (yield from _ask(request, lambda found: _code(found, base)))


def claim_state(base: str, project_id: str, token: str) -> Call[str | None]:
    """``pending``, ``accepted``, ``reconciled`` or ``expired``; None: nobody asked for a code."""
    request = Request("GET", f"{base}/v1/projects/{project_id}/claim", token=token)
    try:
        return (yield from _ask(request, lambda found: _text(found, "state")))
    except AgentError as error:
        if error.reason == "not_found":
            return None
        raise


def delete(base: str, project_id: str, token: str) -> Call[None]:
    """Delete the unclaimed project for good."""
    request = Request("DELETE", f"{base}/v1/projects/{project_id}", token=token)
    yield from _ask(request, lambda found: None)


def _ask(request: Request, read: Callable[[dict[str, Any]], T]) -> Call[T]:
    reply = yield from fetch(SERVICE, request, _POLICY)
    try:
        content = json.loads(reply.body or b"{}")
    except (ValueError, RecursionError):
        content = None
    if not 200 <= reply.status < 300:
        raise _refused(request, reply, content)
    try:
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
        return read(content)
    except (ValueError, TypeError) as error:
        raise SERVICE.error(
            request,
            f"the answer cannot be used: {error}",
            checked=(f"status {reply.status}, {len(reply.body)} bytes",),
            status=reply.status,
        ) from None


def _refused(request: Request, reply: Response, content: object) -> AgentError:
    error = content.get("error") if isinstance(content, dict) else None
    said = error if isinstance(error, dict) else {}

    def word(name: str) -> str:
        value = said.get(name)
        text = value if isinstance(value, str) else ""
        return "".join(c if c.isprintable() else " " for c in text)[:300]

    checked = [str(request)]
    if word("request_id"):
        checked.append(f"request id {word('request_id')}")
    code = f", {word('code')}" if word("code") else ""
    return AgentError(
        f"claimable.neon.tech: {word('message').rstrip('.') or 'no reason was given'} "
        f"(status {reply.status}{code}).",
        reason=word("code"),
        checked=checked,
        status=reply.status,
    )


def _registered(found: dict[str, Any]) -> Registration:
    project = found.get("project")
    if not isinstance(project, dict):
        raise ValueError("it has no project")
    id_ = validation.id_of(project.get("id"))
    if id_ is None:
        raise ValueError("its project has no well-formed id")
    denied = {}
    capabilities = found.get("capabilities")
    for one in capabilities if isinstance(capabilities, list) else []:
        if isinstance(one, dict) and one.get("granted") is False:
            denied[_words(one.get("capability"))] = _words(one.get("reason"))
    return Registration(
        project_id=id_,
        assertion=_text(found, "identity_assertion"),
        expires_at=validation.moment(project.get("expires_at")),
        denied=denied,
    )


def _credentials(found: dict[str, Any]) -> Credentials:
    url = validation.connection_string(found.get("database_url"))
    if url is None:
        raise ValueError("it has no connection string")
    return Credentials(url, validation.moment(found.get("expires_at")))


def _code(found: dict[str, Any], base: str) -> ClaimCode:
    text = _text(found, "user_code")
    if not re.fullmatch(r"[A-Za-z0-9-]{4,40}", text):
        raise ValueError("its code is not well-formed")
    page = validation.claim_url(found.get("verification_uri"), base)
    link = validation.claim_url(found.get("verification_uri_complete"), base) or page
    if page is None or link is None:
        raise ValueError("it names no page")
    seconds, interval = found.get("expires_in", 900), found.get("interval", 5)
    if not isinstance(seconds, int | float) or not isinstance(interval, int | float):
        raise ValueError("its times are not numbers")
    return ClaimCode(text, page, link, int(seconds), min(60.0, max(1.0, float(interval))))


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise ValueError(f"it has no usable {name}")
    return value


def _words(value: object) -> str:
    text = value if isinstance(value, str) else "unknown"
    return re.sub(r"[^\w.-]", "_", text, flags=re.ASCII)[:60]
