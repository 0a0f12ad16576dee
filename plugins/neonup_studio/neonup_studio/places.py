"""Which database a page is about: the project's, or another one that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from neonup import Database, State, VersionBranch
from neonup.plugin.project import project_lock, provider_class
from neonup_studio import copies, kept_tests
from neonup_studio.studio import MAIN, Studio

_BRANCH = "branch-"


@dataclass(frozen=True)
class Place:
    """A database that pages are shown of. ``repr`` does not show the URL.

    Args:
        segment: the first part of the addresses of its pages.
        title: what it is called.
        url: how it is reached, past any pooler.
        own: whether neonup created it.
        provider: what created it; None: unknown.
        obstacle: why its data must not be changed; None where it may be.
        branch: the copy of the project's database that it is; None: it is none.
    """

    segment: str
    title: str
    url: str = field(repr=False)
    own: bool
    provider: str | None
    obstacle: str | None = None
    branch: VersionBranch | None = None

    @property
    def is_main(self) -> bool:
        """Whether it is the project's database itself."""
        return self.segment == MAIN


def find(studio: Studio, segment: str) -> Place | None:
    """The database that an address means, woken; None: it means none.

    Raises:
        NeonupError: it does not answer.
    """
    if segment == MAIN:
        database = studio.database()
        return Place(
            MAIN,
            database.key,
            database.direct,
            database.own,
            database.provider,
            studio.obstacle(database),
        )
    if segment.startswith(_BRANCH):
        return _branch(studio, segment)
    if kept_tests.is_segment(segment):
        return _of_test(studio, segment)
    return None


def branch_segment(id_: str) -> str:
    """The part of an address that means a branch, e.g. the preview of a version.

    Args:
        id_: the branch's.
    """
    return f"{_BRANCH}{id_}"


def _branch(studio: Studio, segment: str) -> Place | None:
    database = studio.database()
    found = next(
        (
            each
            for each in copies.present(studio.versions(), studio.now())
            if branch_segment(each.id) == segment
        ),
        None,
    )
    if found is None:
        return None
    awake = _awake(studio, Database(found.url, database.provider, id=found.id, key=database.key))
    obstacle = studio.obstacle(database)
    return Place(segment, found.name, awake.direct, True, database.provider, obstacle, found)


def _of_test(studio: Studio, segment: str) -> Place | None:
    if (opened := kept_tests.opened(studio.settings, segment)) is None:
        return None
    title, database = opened
    obstacle = studio.obstacle(database)
    return Place(segment, title, database.url, True, database.provider, obstacle)


def _awake(studio: Studio, database: Database) -> Database:
    """A branch as a database that answers: its server may have been idle for long."""
    provider = provider_class(database.provider)(studio.settings)
    if studio.settings.enabled and provider.check(database) is State.STOPPED:
        with project_lock(studio.settings):
            return provider.wake(database)
    return database


def title_of(studio: Studio) -> str:
    """What the project is called."""
    return studio.settings.project.name or str(studio.settings.project)
