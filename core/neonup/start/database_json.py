"""A `Database` as JSON and back, for files that remember one before it is recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from neonup.database import Database

_REQUIRED = ("url", "provider", "key", "source")
_OPTIONAL = ("id", "direct_url", "claim_url", "note")


def to_json(database: Database) -> dict[str, Any]:
    """The database as plain data. It holds the URL with its password."""
    values = {name: getattr(database, name) for name in (*_REQUIRED, *_OPTIONAL)}
    expires = database.expires_at
    return {**values, "expires_at": expires.isoformat() if expires else None}


def from_json(content: object) -> Database | None:
    """The database that was written by `to_json`; None where the content is none.

    Its ``created`` is True: it was created for whoever remembered it.
    """
    if not isinstance(content, dict):
        return None
    values: dict[str, Any] = {name: content.get(name) for name in (*_REQUIRED, *_OPTIONAL)}
    if not all(isinstance(value, str) or value is None for value in values.values()):
        return None
    if any(values[name] is None for name in _REQUIRED):
        return None
    expires = content.get("expires_at")
    try:
        expires_at = None if expires is None else datetime.fromisoformat(expires)
    except (TypeError, ValueError):
        return None
    return Database(**values, expires_at=expires_at, created=True)
