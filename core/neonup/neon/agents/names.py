"""What snapshots and branches of versions are called, and what a name says of one.

There is no table beside Neon's own data: a name is the only record of what something is for.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Container
from datetime import UTC, datetime

from neonup.errors import NeonupError

AUTOMATIC = "auto: "
"""How the name of a version begins that neonup took by itself."""
_REPLACED = re.compile(r".* \(old, neonup [0-9a-f]{8}\)")


def checkpoint(name: str | None, taken: Container[str], *, automatic: bool) -> str:
    """The name of a new version.

    Args:
        name: as it was given; one made of the time if None.
        taken: the names of the versions that there are.

    Raises:
        NeonupError: the name cannot be used, or is taken.
    """
    prefix = AUTOMATIC if automatic else ""
    if name is None:
        return _numbered(f"{prefix}{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", taken)
    given = name.strip()
    if not given or not given.isprintable():
        raise NeonupError(f"{name!r} cannot be the name of a version.")
    if given.startswith(AUTOMATIC.strip()):
        raise NeonupError(
            f"The name of a version cannot begin with {AUTOMATIC.strip()!r}: that marks those that "
            "neonup takes by itself.",
        )
    if prefix + given in taken:
        raise NeonupError(
            f"There is a version {given!r} already.",
            remedy="Give another name, or delete that version first.",
        )
    return prefix + given


def is_automatic(name: str) -> bool:
    """Whether neonup took the version of this name by itself."""
    return name.startswith(AUTOMATIC)


def preview(version: str) -> str:
    """The branch on which a version is looked at."""
    return f"preview of {version}"


def restoring(snapshot_id: str) -> str:
    """The branch that is about to take the database's place; the same for each try of a restore."""
    return f"neonup restoring {snapshot_id}"


def is_restoring(name: str) -> bool:
    """Whether a branch was about to take the database's place."""
    return name.startswith(restoring(""))


def replaced(name: str) -> str:
    """The branch that a restore has replaced, until it is deleted; never the same twice."""
    return f"{name} (old, neonup {secrets.token_hex(4)})"


def is_replaced(name: str) -> bool:
    """Whether a branch was replaced by a restore of neonup's, and is to be deleted.

    What others have replaced, which Neon calls ``<name> (old)``, is theirs.
    """
    return _REPLACED.fullmatch(name) is not None


def _numbered(name: str, taken: Container[str]) -> str:
    number, found = 2, name
    while found in taken:
        number, found = number + 1, f"{name} ({number})"
    return found
