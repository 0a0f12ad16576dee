"""The calls of neon.new's API, and what is believed of its answers: only what is well formed.

The service's documentation: https://neon.com/docs/reference/claimable-postgres
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from neonup.errors import ServiceError
from neonup.http.answers import explanation
from neonup.http.calls import Call, Request, Response
from neonup.http.retry import Service, fetch, json_object
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
    """
    body = {"ref": ref, "enable_logical_replication": logical_replication}
    request = Request("POST", f"{base}/database", body, repeatable=False)
    reply = yield from fetch(SERVICE, request)
    if not 200 <= reply.status < 300:
        raise _refused(request, reply)
    answer = _parse(request, reply)
    if answer.connection_string is None and answer.status != CLAIMED:
        raise SERVICE.unusable(request, reply, "the new database has no connection string")
    return answer


def read(base: str, name: str) -> Call[DatabaseAnswer | None]:
    """How a database is; None if the service does not know it."""
    request = Request("GET", f"{base}/database/{name}")
    reply = yield from fetch(SERVICE, request)
    if reply.status in {400, 404, 410} and "not found" in explanation(reply).lower():
        return None
    if reply.status != 200:
        raise _refused(request, reply)
    return _parse(request, reply)


def _refused(request: Request, reply: Response) -> ServiceError:
    return SERVICE.error(
        request,
        f"the service refused with status {reply.status}{explanation(reply)}",
        status=reply.status,
    )


def _parse(request: Request, reply: Response) -> DatabaseAnswer:
    content = json_object(SERVICE, request, reply)
    status = content.get("status", "UNCLAIMED")
    try:
        if (name := validation.id_of(content.get("id"))) is None:
            raise ValueError("it has no well-formed id")
        if status not in _STATUSES:
            raise ValueError("its status is none of " + ", ".join(_STATUSES))
        return DatabaseAnswer(
            id=name,
            status=status,
            connection_string=validation.connection_string(content.get("connection_string")),
            claim_url=validation.web_url(content.get("claim_url"), request.url),
            expires_at=validation.moment(content.get("expires_at")),
            project_id=validation.id_of(content.get("neon_project_id")),
        )
    except ValueError as error:
        raise SERVICE.unusable(request, reply, str(error)) from None
