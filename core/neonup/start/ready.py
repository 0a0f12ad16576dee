"""What is due once a new database answers: migrations, the seed, the plugins' ``neonup_ready``.

A marker in neonup's home says that it is due. It is there before ``.env`` names the database and
goes when all is done, so that the next start finishes what a killed one left.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from neonup.database import USER, Database
from neonup.errors import NeonupError, SqlError
from neonup.providers.registry import provider_class
from neonup.settings import Settings
from neonup.start import lock

if TYPE_CHECKING:
    import pluggy

_RUNNING = "NEONUP_FINISHING"
"""Set while this runs, so that what it calls does not wait for it to end."""


def _marker(settings: Settings) -> Path:
    return settings.home / "pending" / lock.name(settings)


def expect(settings: Settings) -> None:
    """Say that a database is about to be recorded and not ready yet."""
    marker = _marker(settings)
    marker.parent.mkdir(exist_ok=True, mode=0o700)
    marker.touch()


def forget(settings: Settings) -> None:
    """Nothing is due any more."""
    _marker(settings).unlink(missing_ok=True)


def is_pending(settings: Settings) -> bool:
    """Whether something is due; asked at every start."""
    return not is_running() and _marker(settings).exists()


def is_running() -> bool:
    """Whether this is called by what is due, in this process or above it."""
    return _RUNNING in os.environ


def run(
    settings: Settings,
    database: Database,
    *,
    created: bool,
    manager: pluggy.PluginManager | None = None,
) -> None:
    """Migrate and seed a new database, then tell the plugins; under the project's lock.

    Raises:
        NeonupError: a step failed; it is tried again at the next start.
    """
    if manager is None:
        from neonup import plugins

        manager = plugins.create_plugin_manager()
    outer = os.environ.get(_RUNNING)
    os.environ[_RUNNING] = settings.key
    try:
        if created:
            if settings.migrate:
                migrate(settings.migrate, settings, database)
            if settings.seed:
                seed(settings.seed, settings, database)
        _tell(manager, database, created)
    finally:
        if outer is None:
            del os.environ[_RUNNING]
    if created:
        forget(settings)


def _tell(manager: pluggy.PluginManager, database: Database, created: bool) -> None:
    try:
        manager.hook.neonup_ready(database=database, created=created)
    except NeonupError:
        raise
    except Exception as error:
        raise NeonupError(
            f"A plugin's neonup_ready failed: {type(error).__name__}: {error}",
            remedy="The database is there; the next start calls the plugins again.",
        ) from error


def seed(script: Path, settings: Settings, database: Database) -> None:
    """Run a SQL script, once for one content of it.

    Raises:
        SqlError: a statement failed; nothing of the script stayed.
    """
    from neonup.postgres.script import run_script

    try:
        run_script(
            database.direct, script, once=True, pg_bin=settings.pg_bin, folder=settings.project
        )
    except SqlError as error:
        if error.extension and database.provider != USER:
            provider = provider_class(database.provider)(settings)
            known = provider.explain_missing_extension(error.extension)
            error.remedy = " ".join(filter(None, [known, error.remedy]))
        raise


def migrate(command: str, settings: Settings, database: Database) -> None:
    """Run a migration command in the project's folder, on the direct URL.

    Raises:
        NeonupError: it could not be run, or failed.
    """
    import shlex
    import subprocess

    # Last, so that an activated environment goes first: where none is, `alembic` is beside Python.
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    try:
        status: int | str = subprocess.run(
            shlex.split(command),
            cwd=settings.project,
            env={**os.environ, "PATH": path, settings.key: database.direct},
            stdout=sys.stderr,
            check=False,
        ).returncode
    except (OSError, ValueError) as error:
        status = str(error)
    if status:
        raise NeonupError(
            f"The migration command failed ({status}): {command}",
            remedy="The database is there; correct the command, and the next start runs it again.",
        )
