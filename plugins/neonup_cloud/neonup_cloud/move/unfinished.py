"""What a push that was killed leaves behind for the next one: a small file in neonup's home."""

from __future__ import annotations

from dataclasses import dataclass

from neonup import Database, Settings
from neonup.plugin.project import StateStore, state_name
from neonup.plugin.provisioning import database_from_json, database_to_json

FOLDER = "pushes"


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


def name(settings: Settings) -> str:
    """What the state of the project's push is called."""
    return state_name(settings.project, settings.env_file, settings.key)


def read(settings: Settings) -> Unfinished | None:
    """The push of this project that was not finished; None: no file tells of one.

    Raises:
        ProviderError: others can read the file, or it cannot be read.
    """
    content = StateStore(settings.home, FOLDER).read(name(settings)) or {}
    place, xid, created = (content.get(key) for key in ("place", "xid", "created"))
    if not isinstance(place, str):
        return None
    return Unfinished(place, xid if isinstance(xid, str) else None, database_from_json(created))


def write(settings: Settings, unfinished: Unfinished) -> None:
    """Remember a push; the file holds a URL, so only its owner may read it.

    Raises:
        ProviderError: the file cannot be written.
    """
    created = unfinished.created
    content = {
        "place": unfinished.place,
        "xid": unfinished.xid,
        "created": database_to_json(created) if created else None,
    }
    StateStore(settings.home, FOLDER).write(name(settings), content)


def forget(settings: Settings) -> None:
    """Remove the file: the push is finished, or nothing of it was done.

    Raises:
        ProviderError: the file cannot be removed.
    """
    StateStore(settings.home, FOLDER).forget(name(settings))
