"""``push``: the project's local database into the cloud."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from neonup import NeonupError, is_local
from neonup.plugin import commands
from neonup.plugin.project import describe

if TYPE_CHECKING:
    from neonup import Database
    from neonup.plugin.project import Start
    from neonup_cloud.move.push import Pushed


@click.command()
@commands.database_options
@click.option(
    "--to", metavar="URL", help="The database to fill; - reads its URL from standard input."
)
@click.option(
    "--provider", help="Create the database to fill: account, claimable, a plugin's name."
)
@click.option("--force", is_flag=True, help="Replace what is in the database to fill.")
@click.option("--no-switch", is_flag=True, help="Leave .env as it is.")
@commands.json_option
def push(
    to: str | None, provider: str | None, force: bool, no_switch: bool, **arguments: Any
) -> None:
    """Move the local database to Neon, compare the rows, and switch .env to it.

    All of it or nothing: the target is filled in one transaction. The local database stays.
    """
    from neonup.plugin.provisioning import allow_creation
    from neonup_cloud.move.push import Push

    if (to is None) == (provider is None):
        raise NeonupError(
            "Name the database to fill, or who creates it.",
            remedy="neonup push --to URL, or neonup push --provider account",
        )
    start = commands.change(**arguments)
    database = _local(start)
    local_only = None
    if provider is not None:
        allowed = allow_creation(start.settings, commands.SIGN, against=None, need=None)
        local_only = allowed.local_only
    pushed = Push(
        start.settings,
        database,
        to=url_argument(to),
        provider=provider,
        local_only=local_only,
        force=force,
        switch=not no_switch,
    ).run()
    _tell(pushed, start)


def url_argument(text: str | None) -> str | None:
    """A URL of the command line; ``-`` stands for a line of standard input, typed unseen."""
    if text != "-":
        return text
    if sys.stdin.isatty():
        return str(click.prompt("URL", hide_input=True, err=True)).strip()
    return sys.stdin.readline().strip()


def tables_of(rows: Mapping[str, int]) -> str:
    """How much was moved, in words."""
    total = sum(rows.values())
    tables = "table" if len(rows) == 1 else "tables"
    return f"{len(rows)} {tables}, {total:,} {'row' if total == 1 else 'rows'}"


def _local(start: Start) -> Database:
    """The project's database, answering; it must be on this machine.

    Raises:
        NeonupError: it is not.
    """
    recorded = commands.recorded(start)
    if not is_local(recorded):
        raise NeonupError(
            f"{recorded.key} names {describe(recorded)}, which is not a local one of neonup's.",
            checked=[f"it is from {recorded.source}"],
            remedy="neonup pull copies it onto this machine.",
        )
    return commands.answering(start)


def _tell(pushed: Pushed, start: Start) -> None:
    database = pushed.database
    if commands.wants_json():
        commands.emit(
            {
                **commands.database_dict(database),
                "rows": dict(pushed.moved.rows),
                "remarks": list(pushed.moved.remarks),
                "switched": str(pushed.switched) if pushed.switched else None,
                "back": pushed.back,
            }
        )
        return
    lines = [f"pushed {tables_of(pushed.moved.rows)} to {describe(database)}"]
    if pushed.switched:
        lines.append(f"{database.key} in {pushed.switched.name} names it now")
    else:
        lines.append("the file that names the project's database is as it was")
    if database.claim_url:
        lines.append(f"claim it: {database.claim_url}")
    elif database.expires_at:
        date = commands.date(database.expires_at)
        lines.append(f"it expires on {date} unless claimed: `neonup claim`")
    lines += pushed.moved.remarks
    if pushed.switched:
        back = shlex.join(shlex.split(pushed.back))
        lines.append(f"the local database stays; back to it, in place of this URL: {back}")
    commands.tell(lines)
