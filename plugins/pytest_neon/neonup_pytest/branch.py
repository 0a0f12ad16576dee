"""The run's Neon branch: with ``--neon-provider=account`` tests run on a server that is one.

The process that begins the run makes it and tells its workers, as the server that is given. A
worker whose run made none, since nothing in the ini file says that databases are used, makes one of
its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

from neonup import Database, NeonupError, Settings, SettingsError

if TYPE_CHECKING:
    from neonup_cloud import TemporaryBranch

from neonup_pytest.servers.external import VARIABLE as SERVER

VARIABLE = "NEONUP_TEST_BRANCH"
"""Which branch the given server is: project, branch id and name."""


class RunBranch:
    """The branch of this run, in the process that made it or in a worker of that.

    Args:
        project_id: of which project.
        id: the branch's id.
        name: its name.
        url: leads to its database, which has the parent's data.
        own: the branch, where this process made it.
    """

    def __init__(
        self, project_id: str, id: str, name: str, url: str,  # noqa: A002 - as Neon calls it
        own: TemporaryBranch | None = None,
    ):  # fmt: skip
        self.project_id, self.id, self.name, self.url = project_id, id, name, url
        self._own = own

    def __repr__(self) -> str:
        return f"RunBranch(project_id={self.project_id!r}, id={self.id!r}, name={self.name!r})"

    def close(self, environ: MutableMapping[str, str] = os.environ) -> None:
        """Delete it, where this process made it; only the first call does something."""
        if self._own is not None:
            environ.pop(VARIABLE, None)
            environ.pop(SERVER, None)
            own, self._own = self._own, None
            try:
                own.delete()
            except NeonupError as error:
                sys.stderr.write(
                    f"neonup: the tests' branch {self.name} could not be deleted: {error.message} "
                    "The next run tries again, and Neon deletes it in the end.\n"
                )


def of_run(
    settings: Settings,
    own: Database | None,
    parent: str | None,
    environ: MutableMapping[str, str] = os.environ,
) -> RunBranch:
    """The run's branch, made at the first call.

    Args:
        settings: the project's.
        own: the application's own database.
        parent: the branch whose data it gets; the project's default one if None.

    Raises:
        NeonupError: it cannot be made, or another server is given.
    """
    words = environ.get(VARIABLE, "").split(" ")
    if len(words) == 3 and environ.get(SERVER):
        return RunBranch(words[0], words[1], words[2], environ[SERVER])
    if environ.get(SERVER):
        raise SettingsError(
            f"{SERVER} names a server, and the tests are to run on a Neon branch.",
            remedy=f"Unset {SERVER}, or leave out --neon-provider (neon_provider).",
        )
    try:
        from neonup_cloud import TemporaryBranch
    except ModuleNotFoundError as error:
        if error.name != "neonup_cloud":
            raise
        raise SettingsError(
            "Tests on a Neon branch need neonup-cloud.", remedy='pip install "neonup[cloud]"'
        ) from None
    made = TemporaryBranch.create(settings, own, parent=parent)
    environ[SERVER] = made.url
    environ[VARIABLE] = f"{made.project_id} {made.id} {made.name}"
    return RunBranch(made.project_id, made.id, made.name, made.url, made)
