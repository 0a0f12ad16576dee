"""``run`` and ``psql``: another program, with the database ready."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click

from neonup import extras
from neonup.cli import options
from neonup.database import Database
from neonup.errors import NeonupError, SettingsError
from neonup.plugins import create_plugin_manager
from neonup.start import announce, lookup

_ANY = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command(context_settings=_ANY)
@options.database_options
@click.option("--test", is_flag=True, help="With a new database, which is gone afterwards.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(command: tuple[str, ...], test: bool, **arguments: Any) -> None:
    """Run COMMAND with the database ready and its variables set, libpq's PGHOST etc. too.

    With --test it is a database of this run's own that has the schema: migrated, and seeded.
    """
    start = options.change(**arguments) if test else options.start(**arguments)
    if test:
        status = create_plugin_manager().hook.neonup_run_test(
            settings=start.settings, command=command
        )
        if status is None:
            remedy = extras.install_or_use("local")
            raise NeonupError("There is no Postgres for tests.", remedy=remedy)
        sys.exit(status)
    database = options.database_of(start)
    for remark in lookup.publish(start.settings, database, os.environ):
        announce.remark(remark, start.settings)
    if failed := start.migrate(database):
        announce.remark(failed, start.settings)
    _become(command, _environment(database))


def _environment(database: Database) -> Mapping[str, str]:
    from neonup.clients.psql import environment

    try:
        return environment(database.direct, own=database.own)
    except SettingsError:
        if database.own:
            raise
        return os.environ  # SQLite's, for example, which is the user's own


@click.command(context_settings=_ANY)
@options.database_options
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...], **settings: Any) -> None:
    """Open psql on the project's database; further arguments are psql's."""
    from neonup.clients.psql import psql_command

    start = options.start(**settings)
    database = options.answering(start)
    argv, environ = psql_command(database.direct, start.settings.pg_bin, own=database.own)
    _become([*argv, *arguments], environ)


def _become(argv: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Replace this process, so that signals and the exit status are the program's own."""
    try:
        if sys.platform == "win32":  # exec there returns to the shell before the program ends
            sys.exit(subprocess.run(argv, env=environ, check=False).returncode)
        os.execvpe(argv[0], list(argv), dict(environ))  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise NeonupError(f"{argv[0]} cannot be run: {error.strerror}.") from None
