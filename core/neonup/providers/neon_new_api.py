"""The calls of neon.new's API, and what is believed of its answers: only what is well formed.

The service's documentation: https://neon.com/docs/reference/claimable-postgres
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

from neonup.http.calls import Call, Request, Response
from neonup.http.retry import Service, explanation, fetch
from neonup.providers import validation

CLAIMING = "CLAIMING"
CLAIMED = "CLAIMED"
_STATUSES = ("UNCLAIMED", CLAIMING, CLAIMED)

SERVICE = Service(
    "neon.new",
    'Try again later, or use a database on this machine: pip install "neonup[local]" and '
    'provider = "local" (NEONUP_PROVIDER=local).',
)


@dataclass(frozen=True)
class DatabaseAnswer:
    """What the service says of a database.

    Args:
        connection_string: pooled; None once it is claimed.
        expires_at: aware, UTC; None if the service does not say.
        project_id: of the Neon project that it is; None if the service does not say.
    """

    id: str
    status: str
    connection_string: str | None = field(repr=False)
    claim_url: str | None = field(repr=False)
    expires_at: datetime | None
    project_id: str | None = None


def create(base: str, *, ref: str, logical_replication: bool) -> Call[DatabaseAnswer]:
    """Create a database.

    The service gives it its id, so a second request would create a second one: where the first may
    have been taken it is not repeated.

    Args:
        base: the base URL, without a slash at its end.
        ref: who asks; the service wants it.
        logical_replication: whether ``wal_level`` must be ``logical``.

    Raises:
        ServiceError: the service failed, or answered with something that cannot be used.
    """
    body = {"ref": ref, "enable_logical_replication": logical_replication}
    request = Request("POST", f"{base}/database", body, repeatable=False)
    reply = yield from fetch(SERVICE, request)
    if not 200 <= reply.status < 300:
        _refused(request, reply)
    answer = _parse(request, reply)
    if answer.connection_string is None and answer.status != CLAIMED:
        _unusable(request, reply, "the new database has no connection string")
    return answer


def read(base: str, name: str) -> Call[DatabaseAnswer | None]:
    """How a database is; None if the service does not know it.

    Args:
        base: the base URL, without a slash at its end.
        name: the database's id.

    Raises:
        ServiceError: the service failed, or answered with something that cannot be used.
    """
    request = Request("GET", f"{base}/database/{name}")
    reply = yield from fetch(SERVICE, request)
    if reply.status in {400, 404, 410} and "not found" in explanation(reply).lower():
        return None
    if reply.status != 200:
        _refused(request, reply)
    return _parse(request, reply)


def _refused(request: Request, reply: Response) -> NoReturn:
    raise SERVICE.error(
        request, f"the service refused with status {reply.status}{explanation(reply)}",
        status=reply.status,
    )  # fmt: skip


def _unusable(request: Request, reply: Response, why: str) -> NoReturn:
    raise SERVICE.error(
        request,
        f"the answer cannot be used: {why}",
        checked=(f"status {reply.status}, {len(reply.body)} bytes",),
        status=reply.status,
    )


def _parse(request: Request, reply: Response) -> DatabaseAnswer:
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        kind = reply.headers.get("content-type", "").partition(";")[0].strip()
        page = "an HTML page" if kind == "text/html" else "not JSON, or not all of it"
        _unusable(request, reply, f"it is {page}")
    if not isinstance(content, dict):
        _unusable(request, reply, "it is JSON, but not an object")
    name, status = content.get("id"), content.get("status", "UNCLAIMED")
    if not isinstance(name, str) or not re.fullmatch(r"[\w-]{1,100}", name, re.ASCII):
        _unusable(request, reply, "it has no well-formed id")
    if status not in _STATUSES:
        _unusable(request, reply, "its status is none of " + ", ".join(_STATUSES))
    try:
        return DatabaseAnswer(
            id=name,
            status=status,
            connection_string=validation.connection_string(content.get("connection_string")),
            claim_url=validation.claim_url(content.get("claim_url"), request.url),
            expires_at=validation.moment(content.get("expires_at")),
            project_id=validation.id_of(content.get("neon_project_id")),
        )
    except ValueError as error:
        _unusable(request, reply, str(error))
