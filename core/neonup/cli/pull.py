"""``pull``: a database in the cloud into one on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from neonup.cli import options, output
from neonup.cli.meter import Meter
from neonup.cli.push import tables_of, url_argument
from neonup.start import announce

if TYPE_CHECKING:
    from neonup.move.pull import Pulled


@click.command()
@options.database_options
@options.owner_option
@click.option(
    "--from",
    "origin",
    metavar="URL",
    help="The database to copy, instead of .env's; - reads its URL from standard input.",
)
@click.option("--force", is_flag=True, help="Replace what is in the local database.")
@output.json_option
def pull(origin: str | None, force: bool, **arguments: Any) -> None:
    """Copy a cloud database to this machine, masking columns as set.

    The database in the cloud is only read. The local one is the one in .env, or a new one, which
    .env.local then names.
    """
    from neonup.move.pull import Pull
    from neonup.start import provision

    start = options.start(**arguments)
    provision.allow(start.settings, options.SIGN, against=None, need=None)
    with Meter() as meter:
        pulled = Pull(start.settings, url_argument(origin), force, meter.show).run()
    _tell(pulled)


def _tell(pulled: Pulled) -> None:
    database = pulled.database
    if output.wants_json():
        output.emit(
            {
                **output.database_dict(database),
                "rows": dict(pulled.moved.rows),
                "masked": list(pulled.masked),
                "remarks": list(pulled.moved.remarks),
                "written": str(pulled.written) if pulled.written else None,
            }
        )
        return
    said = [f"pulled {tables_of(pulled.moved.rows)} into {announce.describe(database)}"]
    if pulled.masked:
        said.append(f"masked: {', '.join(pulled.masked)}")
    if pulled.written:
        said.append(f"{database.key} in {pulled.written.name} names it, until: neonup destroy")
    said += pulled.moved.remarks
    head = output.style("neonup", bold=True)
    output.say([f"{head}  {said[0]}", *(f"        {line}" for line in said[1:])])
