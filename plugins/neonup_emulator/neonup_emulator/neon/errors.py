"""Why the local Neon refuses: each refusal has the HTTP status that Neon's API gives it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class Refused(Exception):
    """The request is not carried out.

    Args:
        message: for the caller.
    """

    status = 400
    code = ""
    details: Mapping[str, Any] = MappingProxyType({})
    """What the API's answer has beside code and message."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


class Unauthorized(Refused):
    """No key, or one that is not known."""

    status = 401


class NotFound(Refused):
    """It does not exist, or the key does not reach it."""

    status = 404


class NotEnabled(NotFound):
    """A branch has no such service, or there is no such branch.

    Args:
        message: for the caller.
        reason: as Neon's document names it.
    """

    code = "NOT_FOUND"

    def __init__(self, message: str, reason: str):
        super().__init__(message)
        self.details = {"reason": reason}


class Forbidden(Refused):
    """The key may not do that."""

    status = 403


class NoSuchMethod(Refused):
    """The address takes other methods."""

    status = 405


class NotAcceptable(Refused):
    """A span of time that nothing is known of."""

    status = 406


class Unsatisfied(Refused):
    """The plan of an organization does not allow it.

    Args:
        message: for the caller.
        details: why, as the operation's answer has it.
    """

    status = 406

    def __init__(self, message: str, details: Mapping[str, Any]):
        super().__init__(message)
        self.details = details


class Conflict(Refused):
    """It exists already."""

    status = 409


class Gone(Refused):
    """It was there, and cannot be used any more."""

    status = 410


class Unprocessable(Refused):
    """It is understood, but cannot be done as things are."""

    status = 422


class LimitExceeded(Unprocessable):
    """The plan allows no more of something.

    Args:
        what: e.g. ``branches``.
        limit: how many it allows in a project.
        unit: of what the limit is, where that is not said yet.
    """

    def __init__(self, what: str, limit: float, unit: str = ""):
        allowed = f"{limit:g} {unit}".strip()
        super().__init__(f"{what} limit exceeded: the plan allows {allowed} in a project")
        self.code = f"{what.upper()}_LIMIT_EXCEEDED"


class QuotaExceeded(Unprocessable):
    """A project has used up a quota.

    Args:
        item: which one, as `project.settings.quota` names it.
    """

    hint = "Give the project a larger quota: PATCH /projects/{project_id}, settings.quota."

    def __init__(self, item: str):
        words = item.rpartition("_")[0]  # without its unit
        # The sentence and the code are those that Neon's proxy passes on.
        owner = "Your account or project" if words == "compute_time" else "Your project"
        super().__init__(
            f"{owner} has exceeded the {words.replace('_', ' ')} quota. "
            "Upgrade your plan to increase limits."
        )
        self.item = item
        self.code = f"{words.upper()}_QUOTA_EXCEEDED"


class Locked(Refused):
    """Another change of the same project is being carried out."""

    status = 423
    code = "PROJECT_HAS_RUNNING_OPERATIONS"


class NotHere(Refused):
    """The local Neon has nothing of the kind."""

    status = 501
    code = "NOT_IMPLEMENTED"


class Failed(Refused):
    """The machine could not do it."""

    status = 500
