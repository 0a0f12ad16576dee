"""``reset`` and ``destroy``, which delete data and ask first, and ``fork``, which copies it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neonup.cli import options, output
from neonup.env import lock, record_changes
from neonup.errors import NeonupError
from neonup.start import announce, lookup, owner, ready


@click.command()
@options.database_options
@options.owner_option
@options.yes_option
@output.json_option
def reset(yes: bool, **arguments: Any) -> None:
    """Delete the data and start over, migrated and seeded, under the same URL if possible."""
    start = options.change(**arguments)
    database = options.ours(start)
    owner.check(start.settings, database, "deleted")
    database = start.follow_git(database)  # else another git branch's would be deleted
    options.make_sure(
        f"Delete everything in {announce.describe(database)} and start over?", yes, lost="deleted"
    )
    output.show_database(start.reset(database), start.remarks)


@click.command()
@options.database_options
@options.owner_option
@options.yes_option
@output.json_option
def destroy(yes: bool, **arguments: Any) -> None:
    """Delete the database with its data, and its lines in .env."""
    start = options.change(**arguments)
    database = options.ours(start)
    owner.check(start.settings, database, "deleted")
    database = start.follow_git(database)  # else another git branch's would be deleted
    options.make_sure(
        f"Delete {announce.describe(database)} and its data for good?", yes, lost="deleted"
    )
    with lock.project(start.settings):
        owner.check(start.settings, database, "deleted")  # it may have become another's meanwhile
        recorded = lookup.recorded(start.settings)
        if not lookup.is_same(recorded, database):  # another start was here since the question
            raise NeonupError(
                f"{database.key} names another database by now. Nothing was deleted.",
                remedy="Try again.",
            )
        start.provider(database).delete(database)
        if recorded is not None:
            record_changes.forget(database.key, start.settings, Path(recorded.source))
        owner.forget(start.settings.home, database.provider, database.id or "")
        ready.forget(start.settings)
    if output.wants_json():
        output.emit({"deleted": True, "provider": database.provider, "id": database.id})
    else:
        click.echo(f"Deleted {announce.describe(database)}.")
        left = lookup.recorded(start.settings)
        if left is not None:
            click.echo(f"{left.key} in {left.source} is your own line of before again.")


@click.command()
@options.database_options
@output.json_option
def fork(**arguments: Any) -> None:
    """Give this folder a database of its own with a copy of the data, in a folder that was copied.

    The other folder's database stays as it is.
    """
    start = options.change(**arguments)
    database = options.ours(start)
    other = owner.settle(start.settings, database)
    if other is None:
        raise NeonupError(
            "This folder has a database of its own already; nothing was copied.",
            checked=[f"{database.key} from {database.source}"],
            remedy="`neonup versions preview` makes a copy beside it.",
        )
    if not start.provider(database).copies:
        raise NeonupError(
            f"A {database.provider} database cannot be copied; nothing was changed.",
            remedy="`neonup --force` creates an empty one for this folder, `neonup pull` a copy on "
            "this machine.",
        )
    in_file = database.source != lookup.ENVIRONMENT
    if in_file and not owner.has_own_file(start.settings, database):
        raise NeonupError(
            f"{database.source} is the file of {other}, too: a new URL in it would be that "
            "folder's. Nothing was changed.",
            remedy="Replace the link by a copy of the file, then run this again.",
        )
    output.show_database(start.fork(database), start.remarks)
