"""What a push that was killed leaves behind for the next one: a small file in neonup's home."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from neonup.database import Database
from neonup.errors import MoveError
from neonup.settings import Settings
from neonup.start import lock

_KEPT = ("url", "provider", "id", "direct_url", "claim_url", "key")


@dataclass(frozen=True)
class Unfinished:
    """A push that has begun.

    Args:
        place: host, port and name of the target's database.
        xid: the target's transaction; None before it began.
        created: the target, where a provider created it for this push.
    """

    place: str
    xid: str | None = None
    created: Database | None = None


def _path(settings: Settings) -> Path:
    return settings.home / "pushes" / lock.name(settings)


def read(settings: Settings) -> Unfinished | None:
    """The push of this project that was not finished; None: there is none that can be told."""
    try:
        found = json.loads(_path(settings).read_text("utf-8"))
        created = found["created"]
        return Unfinished(found["place"], found["xid"], _database(created) if created else None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(settings: Settings, unfinished: Unfinished) -> None:
    """Remember it; a URL is in the file, so only its owner may read it.

    Raises:
        MoveError: the file cannot be written.
    """
    path = _path(settings)
    created = unfinished.created
    data = {
        "place": unfinished.place,
        "xid": unfinished.xid,
        "created": _plain(created) if created else None,
    }
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(data, stream)
        beside.replace(path)
    except OSError as error:
        raise MoveError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Free some space, or set NEONUP_HOME to a folder that you can write to.",
        ) from None


def forget(settings: Settings) -> None:
    """It is finished, or nothing of it is there."""
    _path(settings).unlink(missing_ok=True)


def _plain(database: Database) -> dict[str, Any]:
    expires = database.expires_at
    kept = {name: getattr(database, name) for name in _KEPT}
    return {**kept, "expires_at": expires.isoformat() if expires else None}


def _database(found: dict[str, Any]) -> Database:
    expires = found.pop("expires_at")
    return Database(
        **{name: found[name] for name in _KEPT},
        expires_at=datetime.fromisoformat(expires) if expires else None,
        created=True,
    )
