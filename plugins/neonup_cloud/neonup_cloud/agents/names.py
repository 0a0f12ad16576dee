"""The names of versions' snapshots and branches, and how they are read.

There is no table beside Neon's own data: a name is the only record of what something is for.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Container
from datetime import UTC, datetime

from neonup import NeonupError

AUTOMATIC = "auto: "
"""Prefix of the name of a snapshot that neonup took by itself."""
_RESTORING = "neonup restoring "
_REPLACED = re.compile(r".* \(old, neonup [0-9a-f]{8}\)")


def checkpoint(name: str | None, taken: Container[str]) -> str:
    """The name of a new version.

    Args:
        name: as it was given; one made of the time if None.
        taken: the names of the versions that there are.

    Raises:
        NeonupError: the name cannot be used, or is taken.
    """
    if name is None:
        return _numbered(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", taken)
    given = name.strip()
    if not given or not given.isprintable() or given.startswith(AUTOMATIC.strip()):
        raise NeonupError(
            f"{name!r} cannot be the name of a version.",
            remedy=f"Use printable characters, and do not begin with {AUTOMATIC.strip()!r}.",
        )
    if given in taken:
        raise NeonupError(
            f"The version {given!r} exists already.",
            remedy="Give another name, or delete that version first.",
        )
    return given


def snapshot(version: str, *, automatic: bool) -> str:
    """The name of a version's snapshot."""
    return f"{AUTOMATIC}{version}" if automatic else version


def version(snapshot_name: str) -> str:
    """The name of a snapshot's version."""
    return snapshot_name.removeprefix(AUTOMATIC)


def is_automatic(snapshot_name: str) -> bool:
    """Whether neonup took the snapshot by itself."""
    return snapshot_name.startswith(AUTOMATIC)


def preview(version: str) -> str:
    """The name of a version's preview branch."""
    return f"preview of {version}"


def restoring(snapshot_id: str, branch_id: str) -> str:
    """The name of the branch with a snapshot's data that is about to replace another branch. It is
    the same for each try of a restore."""
    return f"{_RESTORING}{snapshot_id} over {branch_id}"


def is_restoring(name: str) -> bool:
    """Whether the name is one of `restoring`."""
    return name.startswith(_RESTORING)


def replaced(name: str) -> str:
    """A new name for the branch that a restore has replaced, until it is deleted."""
    return f"{name} (old, neonup {secrets.token_hex(4)})"


def is_replaced(name: str) -> bool:
    """Whether a branch was replaced by a restore of neonup's, and is to be deleted.

    What others have replaced, which Neon calls ``<name> (old)``, is theirs.
    """
    return _REPLACED.fullmatch(name) is not None


def _numbered(name: str, taken: Container[str]) -> str:
    number, candidate = 2, name
    while candidate in taken:
        number, candidate = number + 1, f"{name} ({number})"
    return candidate
