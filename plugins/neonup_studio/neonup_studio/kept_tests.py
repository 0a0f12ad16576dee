"""The databases that pytest has kept of the project's tests."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from neonup import Database, NeonupError, Settings

if TYPE_CHECKING:
    from neonup_local.test_server import KeptDatabase, KeptDatabases

_SEGMENT = "test-"


def listed(settings: Settings) -> list[KeptDatabase]:
    """All of them, the newest first.

    Args:
        settings: the project's.
    """
    kept = _kept(settings)
    return kept.of_project(settings.project) if kept is not None else []


def is_segment(segment: str) -> bool:
    """Whether a part of an address means such a database."""
    return segment.startswith(_SEGMENT)


def segment_of(kept: KeptDatabase) -> str:
    """The part of an address that means one of them."""
    return f"{_SEGMENT}{kept.name}"


def title_of(kept: KeptDatabase) -> str:
    """The test's name without the file that it is in; the database's where that is unknown."""
    return (kept.test or kept.name).partition("::")[2] or kept.test or kept.name


def find(settings: Settings, which: str) -> KeptDatabase:
    """The newest one of a test.

    Args:
        settings: the project's.
        which: the test's id, its end or its name, or the name of the database.

    Raises:
        NeonupError: there is none, or several tests are called so.
    """
    kept = _kept(settings)
    if kept is None:
        raise NeonupError(
            "No database of a test is kept: neonup-local, which keeps them, is not installed here.",
            remedy='pip install "neonup[local]", and run the tests again.',
        )
    return kept.find(settings.project, which)


def opened(settings: Settings, segment: str) -> tuple[str, Database] | None:
    """Wake the one that a part of an address means.

    Returns:
        What it is called, and the database; None where there is none.

    Raises:
        NeonupError: its server does not start.
    """
    kept = _kept(settings)
    found = next((each for each in listed(settings) if segment_of(each) == segment), None)
    if kept is None or found is None:
        return None
    return title_of(found), kept.wake(found, settings.pg_bin)


def _kept(settings: Settings) -> KeptDatabases | None:
    """None where neonup-local is not installed, which would have kept them."""
    if find_spec("neonup_local") is None:
        return None
    from neonup_local.test_server import KeptDatabases

    return KeptDatabases(settings.home)
