"""What is due once a database is recorded: variables, extensions, migrations, seed, plugins.

A marker in neonup's home says that it is due. It is there before ``.env`` names the database and
goes when all is done, so that the next start finishes what a killed one left.
"""

from __future__ import annotations

import os
from _thread import allocate_lock  # `threading` would cost every start its import
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from neonup.database import Database
from neonup.errors import NeonupError, SqlError
from neonup.settings import Settings
from neonup.start import lookup
from neonup.start.once import FINISHING

if TYPE_CHECKING:
    import pluggy

_inside: ContextVar[bool] = ContextVar("neonup_ready", default=False)
"""The same for this thread, and for what it awaits: other threads do wait."""

_calls: set[object] = set()  # of plugins, in progress, for any project of this process
_counting = allocate_lock()


def _after_fork() -> None:
    """A child that another thread forked is no part of the calls in progress."""
    global _counting  # noqa: PLW0603 - it may have been held
    _counting = allocate_lock()
    if _calls and not _inside.get():
        _calls.clear()
        os.environ.pop(FINISHING, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _marker(settings: Settings) -> Path:
    return settings.home / "pending" / settings.state_name


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
    """Whether this is called by what is due, in this thread or in a process above this one."""
    return _inside.get() or (FINISHING in os.environ and not _calls)


def run(
    settings: Settings,
    database: Database,
    *,
    created: bool,
    manager: pluggy.PluginManager | None = None,
) -> None:
    """Write variables, create extensions, migrate and seed where it is new; tell the plugins.

    The caller holds the project's lock, and ``.env`` names the database.

    Raises:
        NeonupError: a step failed; it is tried again at the next start.
    """
    if manager is None:
        from neonup import plugins

        manager = plugins.create_plugin_manager()
    from neonup.start import plugin_variables  # which no ready database needs

    token = _inside.set(True)
    try:
        if created:
            plugin_variables.add(settings, database, lookup.file_of(settings), manager)
            make_schema(settings, database)
        with _known_to_children():
            _tell(manager, database, created)
    finally:
        _inside.reset(token)
    if created:
        forget(settings)


def make_schema(settings: Settings, database: Database) -> None:
    """Create a new database's extensions, run the migration command and the seed.

    Raises:
        NeonupError: a step failed.
    """
    if settings.extensions:
        create_extensions(settings, database)
    if settings.migrate:
        from neonup.start import migrations

        migrations.migrate(settings.migrate, settings, database)
    if settings.seed:
        seed(settings.seed, settings, database)


@contextmanager
def _known_to_children() -> Iterator[None]:
    """Mark the environment for the processes that a plugin may start."""
    call = object()
    with _counting:
        is_set_above = FINISHING in os.environ and not _calls
        if not is_set_above:
            _calls.add(call)
            os.environ[FINISHING] = "1"
    if is_set_above:
        yield
        return
    try:
        yield
    finally:
        with _counting:
            _calls.discard(call)
            if not _calls:
                os.environ.pop(FINISHING, None)


def _tell(manager: pluggy.PluginManager, database: Database, created: bool) -> None:
    try:
        manager.hook.neonup_ready(database=database, created=created)
    except NeonupError:
        raise
    except Exception as error:
        raise NeonupError(
            f"A plugin's neonup_ready failed: {type(error).__name__}: {error}",
            remedy="The database exists; the next start calls the plugins again.",
        ) from error


def create_extensions(settings: Settings, database: Database) -> None:
    """Create the extensions of the setting, and what these need; those that exist stay.

    Raises:
        SqlError: the server has no such extension, or its owner may not create it.
    """
    from neonup.clients.psql import psql_command
    from neonup.postgres.session import PsqlSession, StatementFailed

    session = PsqlSession(*psql_command(database.direct, settings.pg_bin, own=database.own))
    try:
        for name in settings.extensions:
            quoted = name.replace('"', '""')
            session.run(f'CREATE EXTENSION IF NOT EXISTS "{quoted}" CASCADE')
    except StatementFailed as error:
        from neonup.start.failures import explain_failure

        known = explain_failure(error.message, settings, database.provider)
        correct = "Correct the setting extensions; the next start tries again."
        raise SqlError(
            f"The extension {name!r} was not created: {error.message}",
            remedy=" ".join(filter(None, [known, correct])),
        ) from None
    finally:
        session.close()


def seed(script: Path, settings: Settings, database: Database) -> None:
    """Run a SQL script, once for one content of it; errors are those of `run_script`."""
    from neonup.clients.script import run_script

    try:
        run_script(
            database.direct,
            script,
            once=True,
            pg_bin=settings.pg_bin,
            folder=settings.project,
            own=database.own,
        )
    except SqlError as error:
        if error.missing:
            from neonup.start.failures import explain

            known = explain(error.missing, settings, database.provider)
            error.remedy = " ".join(filter(None, [known, error.remedy]))
        raise
