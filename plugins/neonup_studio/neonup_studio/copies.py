"""Copies of the database that pages make to look into: of a version, or as it is now.

They are branches that go by themselves, so that who only looks leaves nothing behind.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from neonup import Version, VersionBranch, Versions

HOURS = 2
"""For how long a copy stays."""
_TOO_SHORT = timedelta(minutes=10)
"""With less time left, a new copy is made."""


class Copies:
    """The copies that one studio has made, and one change of versions at a time."""

    def __init__(self) -> None:
        self._of_version: dict[str, str] = {}
        self._lock = threading.Lock()
        self._changing = threading.Lock()

    def of_version(self, versions: Versions, version: Version, now: datetime) -> VersionBranch:
        """A copy with a version's data; the one that was made before, as long as it is there.

        Args:
            versions: of the database.
            version: whose data.
            now: the time.

        Raises:
            ProviderError: it cannot be made.
        """
        with self._lock:  # two tabs get the same one
            known = self._of_version.get(version.id)
            for branch in present(versions, now) if known else []:
                soon = branch.expires_at is not None and branch.expires_at - now < _TOO_SHORT
                if branch.id == known and not soon:
                    return branch
            made = versions.preview(version, expires_at=_until(now))
            self._of_version[version.id] = made.id
            return made

    @contextmanager
    def changing(self) -> Iterator[bool]:
        """Around a change of the database by its versions; False: another one is under way."""
        free = self._changing.acquire(blocking=False)
        try:
            yield free
        finally:
            if free:
                self._changing.release()


def of_now(versions: Versions, now: datetime) -> VersionBranch:
    """A copy of the database as it is now.

    Raises:
        ProviderError: it cannot be made.
    """
    return versions.branch(f"copy-{now:%Y%m%d-%H%M%S}", expires_at=_until(now))


def present(versions: Versions, now: datetime) -> list[VersionBranch]:
    """The branches of the database whose time is not over: who deletes them may come later."""
    return [
        branch
        for branch in versions.branches()
        if branch.expires_at is None or branch.expires_at > now
    ]


def _until(now: datetime) -> datetime:
    return (now + timedelta(hours=HOURS)).replace(microsecond=0)
