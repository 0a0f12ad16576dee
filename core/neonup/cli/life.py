"""``reset`` and ``destroy``: the two commands that delete data, and ask first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neonup.cli import options, output
from neonup.database import Database
from neonup.env import record
from neonup.errors import NeonupError
from neonup.start import announce, lock, lookup, ready

_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


@click.command()
@options.database_options
@_yes
@output.json_option
def reset(yes: bool, **arguments: Any) -> None:
    """Delete the data and start over, migrated and seeded, under the same URL if possible."""
    start = options.start(**arguments)
    database = options.ours(start)
    _make_sure(f"Delete everything in {announce.describe(database)} and start over?", yes)
    database = start.reset(database)
    if output.wants_json():
        output.emit(output.database_dict(database))
        return
    output.say(announce.lines(database, start.remarks, colour=output.colourful()))


@click.command()
@options.database_options
@_yes
@output.json_option
def destroy(yes: bool, **arguments: Any) -> None:
    """Delete the database with its data, and its lines in .env."""
    start = options.start(**arguments)
    database = options.ours(start)
    _make_sure(f"Delete {announce.describe(database)} and its data for good?", yes)
    with lock.project(start.settings):
        recorded = lookup.recorded(start.settings)
        if not lookup.is_same(recorded, database):  # another start was here since the question
            raise NeonupError(
                f"{database.key} names another database by now. Nothing was deleted.",
                remedy="Try again.",
            )
        start.provider(database).delete(database)
        if recorded is not None:
            record.forget(database.key, Path(recorded.source))
        ready.forget(start.settings)
    if output.wants_json():
        output.emit(_gone(database))
    else:
        click.echo(f"Deleted {announce.describe(database)}.")


def _gone(database: Database) -> dict[str, Any]:
    return {"deleted": True, "provider": database.provider, "id": database.id}


def _make_sure(question: str, yes: bool) -> None:
    if not yes and not output.confirm(question):
        raise NeonupError("Nothing was deleted.", remedy="Pass --yes to skip the prompt.")
