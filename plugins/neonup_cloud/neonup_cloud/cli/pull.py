"""``pull``: a database in the cloud into one on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neonup.plugin import commands
from neonup.plugin.project import describe
from neonup_cloud.cli.push import tables_of, url_argument

if TYPE_CHECKING:
    from neonup_cloud.move.pull import Pulled


NEED = "A database on this machine was to be filled"


@click.command()
@commands.database_options
@commands.owner_option
@click.option(
    "--from",
    "origin",
    metavar="URL",
    help="The database to copy, instead of .env's; - reads its URL from standard input.",
)
@click.option("--force", is_flag=True, help="Replace what is in the local database.")
@commands.json_option
def pull(origin: str | None, force: bool, **arguments: Any) -> None:
    """Copy a cloud database to this machine, masking columns as set.

    The database in the cloud is only read. The local one is the one in .env, or a new one, which
    .env.local then names.
    """
    from neonup.plugin.provisioning import allow_creation
    from neonup_cloud.move.pull import Pull

    start = commands.change(**arguments)
    allow_creation(start.settings, commands.SIGN, against=None, need=NEED)
    _tell(Pull(start.settings, url_argument(origin), force).run())


def _tell(pulled: Pulled) -> None:
    database = pulled.database
    if commands.wants_json():
        commands.emit(
            {
                **commands.database_dict(database),
                "rows": dict(pulled.moved.rows),
                "masked": list(pulled.masked),
                "remarks": list(pulled.moved.remarks),
                "written": str(pulled.written) if pulled.written else None,
            }
        )
        return
    lines = [f"pulled {tables_of(pulled.moved.rows)} into {describe(database)}"]
    if pulled.masked:
        lines.append(f"masked: {', '.join(pulled.masked)}")
    if pulled.written:
        lines.append(f"{database.key} in {pulled.written.name} names it, until: neonup destroy")
    lines += pulled.moved.remarks
    commands.tell(lines)
