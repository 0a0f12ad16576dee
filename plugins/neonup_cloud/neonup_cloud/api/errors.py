"""The errors of Neon's API.

ServiceError
└── NeonError                 Neon's API answered with an error, or not at all
    ├── Unauthorized          no key, or one that is not known any more
    ├── Forbidden             the key may not do that
    ├── NotFound              it does not exist, or the key does not reach it
    ├── Conflict              it exists already
    ├── Invalid               it cannot be done as asked, or as things are
    │   └── QuotaExceeded     a plan's limit or a project's quota is used up
    ├── Locked                another change of the project is still under way
    ├── RateLimited           too many requests
    ├── Unavailable           the service failed, or cannot be reached
    ├── AnswerLost            it may have been carried out: the answer did not arrive
    ├── UnusableAnswer        the answer is not what Neon's API documents
    └── OperationFailed       an operation ended without success
"""

from __future__ import annotations

from typing import Any, Unpack

from neonup import ErrorDetails, ServiceError


class NeonError(ServiceError):
    """Neon's API answered with an error, or not at all.

    Args:
        status: the HTTP status code where there was an answer.
        api_code: Neon's name for the error, e.g. ``BRANCHES_LIMIT_EXCEEDED``.
        request_id: what Neon's support asks for.
    """

    code = "neon"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        api_code: str | None = None,
        request_id: str | None = None,
        **details: Unpack[ErrorDetails],
    ):
        super().__init__(message, status=status, **details)
        self.api_code = api_code
        self.request_id = request_id

    def as_dict(self) -> dict[str, Any]:
        """The error as plain data, as ``--json`` prints it."""
        more = {"status": self.status, "api_code": self.api_code, "request_id": self.request_id}
        return super().as_dict() | more


class Unauthorized(NeonError):
    """The key is missing, or not valid any more."""

    code = "neon_unauthorized"


class Forbidden(NeonError):
    """The key may not do that."""

    code = "neon_forbidden"


class NotFound(NeonError):
    """It does not exist, or the key does not reach it."""

    code = "neon_not_found"


class Conflict(NeonError):
    """It exists already."""

    code = "neon_conflict"


class Invalid(NeonError):
    """The request is not valid, or not possible in the present state."""

    code = "neon_invalid"


class QuotaExceeded(Invalid):
    """A plan's limit or a project's quota is used up."""

    code = "neon_quota_exceeded"


class Locked(NeonError):
    """Another change of the project is still under way, after all tries."""

    code = "neon_locked"


class RateLimited(NeonError):
    """Too many requests, after all tries."""

    code = "neon_rate_limited"


class Unavailable(NeonError):
    """The service failed, or cannot be reached; nothing was done."""

    code = "neon_unavailable"


class AnswerLost(NeonError):
    """The request may have been carried out or not: its answer did not arrive.

    It was not sent again, since that could have created a second project.
    """

    code = "neon_answer_lost"


class UnusableAnswer(NeonError):
    """The answer is not what Neon's API documents."""

    code = "neon_unusable_answer"


class OperationFailed(NeonError):
    """An operation ended without success, or not within the time given."""

    code = "neon_operation_failed"


BY_STATUS: dict[int, type[NeonError]] = {
    401: Unauthorized,
    402: QuotaExceeded,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    423: Locked,
    429: RateLimited,
}


def class_of(status: int, api_code: str | None) -> type[NeonError]:
    """The class of an error answer; limits have codes such as ``BRANCHES_LIMIT_EXCEEDED``."""
    if status >= 500:
        return Unavailable
    if (api_code or "").endswith(("LIMIT_EXCEEDED", "QUOTA_EXCEEDED")):
        return QuotaExceeded
    return BY_STATUS.get(status, Invalid)
