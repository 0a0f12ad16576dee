"""The versions of a database as a page shows them: by their days, newest first, a page at a time.

Pure functions: they know neither HTTP nor a provider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date
from itertools import groupby

from neonup import Version
from neonup.plugin.project import REPLACED

PAGE = 50
"""How many versions are shown at once."""


@dataclass(frozen=True)
class Day:
    """The versions of a day, in UTC.

    Args:
        date: the day.
        versions: newest first.
    """

    date: date
    versions: list[Version]


@dataclass(frozen=True)
class Timeline:
    """A part of a history.

    Args:
        days: newest first.
        found: how many versions the search has found; all of them where nothing is searched.
        first: the number of the newest one that is shown, from 0.
    """

    days: list[Day]
    found: int
    first: int

    @property
    def newer(self) -> int | None:
        """Where the page before begins; None: this is the newest."""
        return max(0, self.first - PAGE) if self.first else None

    @property
    def older(self) -> int | None:
        """Where the page after begins; None: this is the oldest."""
        return self.first + PAGE if self.first + PAGE < self.found else None


def arrange(history: Sequence[Version], *, search: str = "", first: int = 0) -> Timeline:
    """A page of a history.

    Args:
        history: newest first.
        search: a part of the names that are wanted; in any case.
        first: the number of the newest one to show; the last page where there are fewer.
    """
    wanted = search.casefold()
    found = [version for version in history if wanted in version.name.casefold()]
    last = (len(found) - 1) // PAGE * PAGE if found else 0
    first = min(max(0, first) // PAGE * PAGE, last)
    by_day = groupby(found[first : first + PAGE], _date)
    return Timeline([Day(day, list(group)) for day, group in by_day], len(found), first)


def _date(version: Version) -> date:
    return version.created_at.astimezone(UTC).date()


def keeper(version: Version) -> str:
    """Who has kept it, in a word or two."""
    if not version.automatic:
        return "by hand"
    return "before a restore" if is_replaced(version) else "by neonup"


def is_replaced(version: Version) -> bool:
    """Whether a restore kept it, of what it replaced: an undo does not go back to it."""
    return version.automatic and version.name.startswith(REPLACED)


def newest(history: Sequence[Version]) -> str:
    """The id of the newest version; empty where there is none. Forms say by it what was seen."""
    return history[0].id if history else ""


def latest(history: Sequence[Version]) -> Version | None:
    """The version that an undo goes back to; None: there is none.

    Args:
        history: newest first.
    """
    return next((version for version in history if not is_replaced(version)), None)
