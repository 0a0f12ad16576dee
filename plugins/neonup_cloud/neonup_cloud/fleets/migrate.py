"""Migrations of all users' databases: what is run for each, and the report."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neonup import Database, NeonupError, resolve, urls
from neonup.plugin.postgres import client_environment
from neonup.plugin.project import database_variables
from neonup_cloud.fleets.register import UserProject

_LINES = 5
"""How many of a failed command's last lines are reported."""


@dataclass(frozen=True)
class MigrationTarget:
    """A database to be migrated.

    Args:
        project: the user's project.
        url: how one connects, past the pooler. A secret.
    """

    project: UserProject
    url: str = field(repr=False)


Work = Callable[[MigrationTarget], object]
"""Migrates one database; raises if that fails. It must be safe to run twice: after a process was
killed, the migrations that it had begun are run again."""
AsyncWork = Callable[[MigrationTarget], Awaitable[object]]
"""As `Work`, awaited."""


@dataclass(frozen=True)
class FailedMigration:
    """A project whose migration failed.

    Args:
        project: which.
        error: why, without passwords.
    """

    project: UserProject
    error: str


@dataclass(frozen=True)
class MigrationReport:
    """The result of a migration of all projects.

    Args:
        done: projects that were migrated now.
        earlier: those that an earlier run had done, as the journal says.
        skipped: those that are suspended or wait to be deleted: they take no connections.
        failed: those that failed; the next run tries them again.
    """

    done: tuple[UserProject, ...]
    earlier: tuple[UserProject, ...]
    skipped: tuple[UserProject, ...]
    failed: tuple[FailedMigration, ...]

    def as_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        named = {
            name: [project.as_dict() for project in getattr(self, name)]
            for name in ("done", "earlier", "skipped")
        }
        return {
            **named,
            "failed": [
                failure.project.as_dict() | {"error": failure.error} for failure in self.failed
            ],
        }


def command(words: Sequence[str], *, cwd: Path | None = None) -> Work:
    """A command as work: it finds the URL in ``DATABASE_URL``, ``DATABASE_URL_DIRECT``, in the
    variables that the project names in ``[tool.neonup]`` and in libpq's, and the id of the user's
    project in ``NEON_PROJECT_ID``; what it prints is shown where it fails.

    Args:
        words: the program and its arguments; no shell reads them.
        cwd: where it runs.

    Raises:
        SettingsError: ``[tool.neonup]`` there cannot be used.
    """
    settings = resolve(cwd)

    def run(target: MigrationTarget) -> None:
        try:
            done = subprocess.run(
                list(words),
                cwd=cwd,
                env={
                    **client_environment(target.url, own=True),
                    **database_variables(settings, Database(target.url, "account")),
                    "DATABASE_URL": target.url,
                    "DATABASE_URL_DIRECT": target.url,
                    "NEON_PROJECT_ID": target.project.project_id,
                },
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise NeonupError(f"{words[0]} cannot be run: {error.strerror}.") from None
        if done.returncode:
            output = (done.stderr or done.stdout).strip().splitlines()[-_LINES:]
            raise NeonupError(f"status {done.returncode}: {' | '.join(output)}")

    return run


def reason(error: Exception) -> str:
    """An error as one line without passwords."""
    text = error.message if isinstance(error, NeonupError) else f"{type(error).__name__}: {error}"
    return urls.mask(" ".join(text.split()))
