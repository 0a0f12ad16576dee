"""Every error that neonup raises on purpose.

    NeonupError
    ├── SettingsError           a setting has a value that cannot be used
    ├── EnvFileError            the .env file cannot be read or written
    ├── CreationForbidden       no database there, and none may be created here
    ├── DatabaseGone            the recorded database cannot be used any more
    │   ├── DatabaseExpired     its time ran out
    │   └── DatabaseClaimed     it belongs to somebody's account now
    ├── ProviderError           a provider is unknown, unavailable or failed
    │   ├── ServiceError        a service answered with an error, or not at all
    │   ├── ClaimInProgress     somebody is claiming the database
    │   └── EngineError         Postgres on this machine could not be created, started or stopped
    └── SqlError                a statement of a SQL script failed

A message never holds a password, an API key or a claim link's secret.
"""

# Without `from __future__ import annotations`: `typing` compiles a TypedDict's annotations if they
# are text, and the first use of the compiler takes a tenth of a start's time.

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack


class ErrorDetails(TypedDict, total=False):
    """What every error takes beside its message; see `NeonupError`."""

    checked: Sequence[str]
    remedy: str | None


class NeonupError(Exception):
    """What failed, what was looked at, and what to do next.

    Args:
        message: one sentence: what failed.
        checked: what was looked at on the way, one short line each.
        remedy: what the user can do now.
    """

    code = "error"
    """A stable name for programs (``--json``)."""

    def __init__(self, message: str, *, checked: Sequence[str] = (), remedy: str | None = None):
        super().__init__(message)
        self.message = message
        self.checked = tuple(checked)
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [self.message, *(f"  checked: {line}" for line in self.checked)]
        if self.remedy:
            lines.append(f"  -> {self.remedy}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """The error as plain data, as ``--json`` prints it."""
        return {
            "code": self.code,
            "message": self.message,
            "checked": list(self.checked),
            "remedy": self.remedy,
        }


class SettingsError(NeonupError):
    """A setting has a value that cannot be used; the message names where it came from."""

    code = "settings"


class EnvFileError(NeonupError):
    """The ``.env`` file, or another one of the project's, cannot be read or written.

    It is as it was.
    """

    code = "env_file"


class CreationForbidden(NeonupError):
    """There is no database, and nothing here says that this is development."""

    code = "creation_forbidden"


class DatabaseGone(NeonupError):
    """The recorded database cannot be used any more."""

    code = "database_gone"


class DatabaseExpired(DatabaseGone):
    """The database's time ran out."""

    code = "database_expired"


class DatabaseClaimed(DatabaseGone):
    """The database belongs to somebody's account now and its old URL may be dead."""

    code = "database_claimed"


class ProviderError(NeonupError):
    """A provider is unknown, unavailable, or failed."""

    code = "provider"


class ServiceError(ProviderError):
    """A service answered with an error, with something unusable, or not at all.

    Args:
        status: the HTTP status code where there was an answer.
    """

    code = "service"
    retry_after = 0.0
    """Seconds that the service asks to wait before the next request; 0: it does not say."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        **details: Unpack[ErrorDetails],
    ):
        super().__init__(message, **details)
        self.status = status


class ClaimInProgress(ProviderError):
    """Somebody is claiming the database, so that nobody else is given a code for it."""

    code = "claim_in_progress"


class EngineError(ProviderError):
    """Postgres on this machine could not be created, started or stopped."""

    code = "engine"


class SqlError(NeonupError):
    """A statement of a SQL script failed.

    Args:
        line: the line of the script where the statement ends, from 1; None if unknown.
        missing: the extension that the server lacks, or ``icu``, where that is why.
    """

    code = "sql"

    def __init__(
        self,
        message: str,
        *,
        line: int | None = None,
        missing: str | None = None,
        **details: Unpack[ErrorDetails],
    ):
        super().__init__(message, **details)
        self.line = line
        self.missing = missing
