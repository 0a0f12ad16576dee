"""What is believed of a service's address and answers: what is well formed, and does no harm.

Errors say what is wrong with a value and do not show it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

from neonup.errors import SettingsError
from neonup.postgres import urls

_SAFE = r"(?:[A-Za-z0-9._~:/?@&+,=\[\]-]|%(?![01]|7[fF])[0-9A-Fa-f]{2})+"
"""What a URL may consist of, so that no .env parser, shell or driver reads more into it."""
_LONGEST = 2000
_LOCAL_EFFECTS = (
    r"host|hostaddr|port|user|password|passfile|service|servicefile|ssl(cert|key|crl|crldir|"
    r"password|keylogfile)|.*(file|path|dir)|krb.*|gss.*|oauth.*"
)
"""libpq's parameters that read or write this machine's files, or lead to another host than the
one that the URL shows (https://www.postgresql.org/docs/current/libpq-connect.html)."""


def base_url(url: str, service: str, *, example: str, checked: str, secret: bool = False) -> str:
    """The base URL of a service, without a slash at its end.

    Args:
        url: as it is set.
        service: what errors call it.
        example: a URL that can be used.
        checked: where it can be set.
        secret: whether requests carry a secret, so that plain http is for this machine alone.

    Raises:
        SettingsError: it cannot be used.
    """
    base = url.strip().rstrip("/")
    try:
        parts = urlsplit(base)
        plain = parts.scheme == "http" and (not secret or urls.is_loopback(parts.hostname or "."))
        usable = (plain or parts.scheme == "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment:
        schemes = "an https" if secret else "an http or https"
        note = "; http is for localhost alone" if secret else ""
        raise SettingsError(
            f"The base URL of {service} cannot be used.",
            checked=[checked],
            remedy=f"Give {schemes} URL without user or query, like {example}{note}.",
        )
    return base


def connection_string(value: object) -> str | None:
    """A URL that is safe to be written into a file and given to a driver.

    Raises:
        ValueError: it is not; the message does not show it.
    """
    if value is None:
        return None
    text = _safe(value, "connection string")
    if not text.startswith(("postgres://", "postgresql://")):
        raise ValueError("its connection string is not one of Postgres")
    try:
        parts = urlsplit(text)
        complete = bool(parts.hostname and parts.username) and parts.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise ValueError("its connection string names no host, no user or no possible port")
    for parameter, setting in parse_qsl(parts.query, keep_blank_values=True):
        if re.fullmatch(_LOCAL_EFFECTS, parameter, re.IGNORECASE) or (
            parameter == "sslrootcert" and setting != "system"
        ):
            raise ValueError(
                f"its connection string sets {parameter!r}, which a service may not set"
            )
    return text


def web_url(value: object, asked: str, what: str = "claim link") -> str | None:
    """A web page's URL; plain http only where the service itself is asked that way.

    Raises:
        ValueError: it is none; the message does not show it.
    """
    if value is None:
        return None
    text = _safe(value, what)
    try:
        parts = urlsplit(text)
        is_page = parts.scheme in {"https", urlsplit(asked).scheme} and bool(parts.hostname)
    except ValueError:
        is_page = False
    if not is_page:
        raise ValueError(f"its {what} is not the URL of a web page")
    return text


def id_of(value: object) -> str | None:
    """A name that the service gave to something; None where it is none that can be used."""
    good = isinstance(value, str) and re.fullmatch(r"[\w-]{1,100}", value, re.ASCII)
    return str(value) if good else None


def moment(value: object) -> datetime | None:
    """A point in time; one without a zone is UTC's.

    Raises:
        ValueError: it is none.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("its expiry is not a string")
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("its expiry is not a valid date") from None


def _safe(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"its {what} is not a string")
    if len(value) > _LONGEST or not re.fullmatch(_SAFE, value):
        raise ValueError(f"its {what} holds characters that are not allowed in a URL")
    return value
