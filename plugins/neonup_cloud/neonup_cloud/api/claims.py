"""Claims: a project that its owner, e.g. a platform, offers to whoever has a link.

`neonup_cloud.api.groups.claims` makes, accepts and follows them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from neonup import SettingsError


class ClaimState(enum.StrEnum):
    """The state of a claim."""

    PENDING = "pending"
    """The link is good, and nobody has used it."""
    CLAIMED = "claimed"
    """The project is somebody else's."""
    EXPIRED = "expired"
    """The link's time is over: a new request is needed."""
    DELETED = "deleted"
    """The project was deleted."""


@dataclass(frozen=True)
class Claim:
    """An offer of a project. ``repr`` shows neither the link nor the request's id.

    Args:
        project_id: the project.
        request_id: the transfer request's id. A secret: whoever has both ids can take the project.
        link: the page where a person takes the project. A secret, for the same reason.
        expires_at: when the offer ends; aware.
        org_id: whose the project is until then; None if Neon did not say.
    """

    project_id: str
    request_id: str = field(repr=False)
    link: str = field(repr=False)
    expires_at: datetime
    org_id: str | None = None


def link(base: str, project_id: str, request_id: str, redirect: str | None = None) -> str:
    """The page where a person takes a project.

    Neon's documentation: https://neon.com/docs/workflows/claimable-database-integration

    Args:
        base: of the API, up to and with ``/api/v2``; the page is on the same host.
        redirect: where the person goes afterwards.

    Raises:
        SettingsError: the redirect is not the address of a web page.
    """
    query = {"p": project_id, "tr": request_id}
    if redirect:
        parts = urlsplit(redirect)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SettingsError(
                "The address to go to after a claim is not the URL of a web page.",
                remedy="Give an http or https URL.",
            )
        query["ru"] = redirect
    return f"{base.removesuffix('/api/v2')}/app/claim?{urlencode(query)}"


def ids_of(claim_link: str) -> tuple[str, str]:
    """The project's id and the transfer request's that a claim link holds.

    Raises:
        SettingsError: the text is not a claim link.
    """
    try:
        query = parse_qs(urlsplit(claim_link).query)
    except ValueError:
        query = {}
    ids = query.get("p", []), query.get("tr", [])
    if not all(len(values) == 1 for values in ids):
        raise SettingsError(
            "That is not the claim link of a project.",
            remedy="It has the form https://console.neon.tech/app/claim?p=...&tr=...",
        )
    return ids[0][0], ids[1][0]
