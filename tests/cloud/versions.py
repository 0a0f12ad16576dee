"""A project whose database has versions, for tests with both drivers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from neonup_cloud.agents import ProjectVersions
from tests.cloud.both import Both
from tests.emulator.api import ask


class Application:
    """A project of its own with a table of numbers.

    Args:
        neon: whose project it is, by which driver.
        project: more than its defaults.
    """

    def __init__(self, neon: Both, **project: Any):
        created = neon(lambda neon: neon.projects.create(**project))
        self._neon = neon
        self.project_id = created.project.id
        self.url = created.connection_uris[0].connection_uri
        ask(self.url, "CREATE TABLE numbers (n int)")

    def do(self, what: Callable[[Any], Any]) -> Any:
        """Use its versions: ``application.do(lambda versions: versions.history())``."""
        return self._neon(lambda neon: what(ProjectVersions(neon, self.project_id)))

    def write(self, number: int) -> None:
        ask(self.url, "INSERT INTO numbers VALUES (%s)", number)

    @property
    def numbers(self) -> list[int]:
        return numbers(self.url)

    @property
    def moment(self) -> datetime:
        """Now, by the database's clock: after everything that was written."""
        found = ask(self.url, "SELECT clock_timestamp()")
        assert isinstance(found, datetime)
        return found

    @property
    def branches(self) -> list[str]:
        """The names of all branches."""
        listed = self._neon(lambda neon: neon.branches.list(self.project_id))
        return sorted(one.name for one in listed)

    @property
    def versions(self) -> list[str]:
        """The names of all versions, newest first."""
        return [one.name for one in self.do(lambda versions: versions.history())]


def numbers(url: str) -> list[int]:
    """What was written to a branch of it."""
    found = ask(url, "SELECT coalesce(array_agg(n ORDER BY n), '{}') FROM numbers")
    assert isinstance(found, list)
    return found
