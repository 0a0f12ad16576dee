"""The calls of claimable.neon.tech, the agent identity API.

The service's guide: https://neon.com/auth.md; its source: https://github.com/neondatabase/claimable-neon
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from neonup.database import ClaimProgress
from neonup.errors import ServiceError
from neonup.http.answers import error_fields
from neonup.http.calls import Call, Request, Response
from neonup.http.retry import Policy, Service, fetch, json_object
from neonup.providers import validation

T = TypeVar("T")

BASE = "https://claimable.neon.tech"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
INVALID_GRANT, EXPIRED, CLAIMED = "invalid_grant", "project_expired", "project_claimed"
BAD_TOKEN = frozenset({"token_expired", "unauthorized"})
"""The codes of a token that has ended, or that a claim has revoked meanwhile."""
CLAIMING = "claim_in_progress"
REVOKED = frozenset({CLAIMING, "scope_insufficient"})
"""The codes that say that a claim has begun, which ended the rights of the secret."""
_VARIABLES = (
    ("data_api", "url", "NEON_DATA_API_URL"),
    ("auth", "base_url", "NEON_AUTH_BASE_URL"),
)
"""The services beside Postgres: their fields in the answer, and the variables of Neon's tools."""
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
    denied: dict[str, str]


@dataclass(frozen=True)
class Credentials:
    """How the database is reached now; `variables` lead to the other services, by name."""

    url: str = field(repr=False)
    expires_at: datetime | None
    variables: dict[str, str]


@dataclass(frozen=True)
class ClaimCode:
    """What a person claims the project with.

    Args:
        text: typed on the page that ``link`` leads to, which holds the code already.
        seconds: how long it is good.
        interval: seconds between two looks at the claim's state.
    """

    text: str = field(repr=False)
    link: str = field(repr=False)
    seconds: int
    interval: float


def register(base: str, *, capabilities: Sequence[str], source: str) -> Call[Registration]:
    """A new identity and project. One whose answer was lost expires by itself."""
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
    return (yield from _ask(request, lambda answer: _text(answer, "access_token")))


def credentials(base: str, project_id: str, token: str) -> Call[Credentials]:
    request = Request("GET", f"{base}/v1/projects/{project_id}/credentials", token=token)
    return (yield from _ask(request, lambda answer: _credentials(answer, base)))


def begin_claim(base: str, project_id: str, token: str) -> Call[ClaimCode]:
    """A new code; it ends an earlier one that nobody has used."""
    request = Request("POST", f"{base}/v1/projects/{project_id}/claim", token=token)
    return (yield from _ask(request, lambda answer: _code(answer, base)))


def claim_progress(base: str, project_id: str, token: str) -> Call[ClaimProgress | None]:
    """How far the claim is; None: nobody asked for a code."""
    request = Request("GET", f"{base}/v1/projects/{project_id}/claim", token=token)
    try:
        return (yield from _ask(request, _progress))
    except AgentError as error:
        if error.reason == "not_found":
            return None
        raise


def delete(base: str, project_id: str, token: str) -> Call[None]:
    request = Request("DELETE", f"{base}/v1/projects/{project_id}", token=token)
    yield from _ask(request, lambda answer: None)


def _ask(request: Request, read: Callable[[dict[str, Any]], T]) -> Call[T]:
    reply = yield from fetch(SERVICE, request, _POLICY)
    if not 200 <= reply.status < 300:
        raise _refused(request, reply)
    content = json_object(SERVICE, request, reply) if reply.body else {}
    try:
        return read(content)
    except (ValueError, TypeError) as error:
        raise SERVICE.unusable(request, reply, str(error)) from None


def _refused(request: Request, reply: Response) -> AgentError:
    words = error_fields(reply, ("code", "message", "request_id"), within="error")
    checked = [str(request)]
    if "request_id" in words:
        checked.append(f"request id {words['request_id']}")
    reason = words.get("code", "")
    message = words.get("message", "").rstrip(".") or "no reason was given"
    return AgentError(
        f"claimable.neon.tech: {message} (status {reply.status}{f', {reason}' if reason else ''}).",
        reason=reason,
        checked=checked,
        status=reply.status,
    )


def _registered(answer: dict[str, Any]) -> Registration:
    project = answer.get("project")
    if not isinstance(project, dict):
        raise ValueError("it has no project")
    id_ = validation.id_of(project.get("id"))
    if id_ is None:
        raise ValueError("its project has no well-formed id")
    denied = {}
    capabilities = answer.get("capabilities")
    for capability in capabilities if isinstance(capabilities, list) else []:
        if isinstance(capability, dict) and capability.get("granted") is False:
            name = _words(capability.get("capability"))
            denied[name] = _words(capability.get("reason"))
    return Registration(
        project_id=id_,
        assertion=_text(answer, "identity_assertion"),
        denied=denied,
    )


def _credentials(answer: dict[str, Any], base: str) -> Credentials:
    url = validation.connection_string(answer.get("database_url"))
    if url is None:
        raise ValueError("it has no connection string")
    services, variables = answer.get("services"), {}
    for service, field_, name in _VARIABLES:
        shown = services.get(service) if isinstance(services, dict) else None
        address = shown.get(field_) if isinstance(shown, dict) else None
        if (checked := validation.web_url(address, base, f"{service} address")) is not None:
            variables[name] = checked
    return Credentials(url, validation.moment(answer.get("expires_at")), variables)


def _progress(answer: dict[str, Any]) -> ClaimProgress:
    return ClaimProgress(_text(answer, "state"), validation.moment(answer.get("expires_at")))


def _code(answer: dict[str, Any], base: str) -> ClaimCode:
    text = _text(answer, "user_code")
    if not re.fullmatch(r"[A-Za-z0-9-]{4,40}", text):
        raise ValueError("its code is not well-formed")
    page = validation.web_url(answer.get("verification_uri"), base)
    link = validation.web_url(answer.get("verification_uri_complete"), base) or page
    if link is None:
        raise ValueError("it names no page")
    seconds, interval = answer.get("expires_in", 900), answer.get("interval", 5)
    if not isinstance(seconds, int | float) or not isinstance(interval, int | float):
        raise ValueError("its times are not numbers")
    return ClaimCode(text, link, int(seconds), min(60.0, max(1.0, float(interval))))


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not value:
        raise ValueError(f"it has no usable {name}")
    return value


def _words(value: object) -> str:
    text = value if isinstance(value, str) else "unknown"
    return re.sub(r"[^\w.-]", "_", text, flags=re.ASCII)[:60]
