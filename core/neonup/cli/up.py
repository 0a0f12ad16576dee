"""``neonup [up]``: find or create the project's database."""

from __future__ import annotations

from typing import Any

import click

from neonup.cli import options, output
from neonup.database import USER
from neonup.errors import NeonupError
from neonup.start import announce, permission


@click.command()
@options.database_options
@options.owner_option
@click.option("-p", "--prefix", help="The prefix of the claim link's variable.")
@click.option("-s", "--seed", type=click.Path(), metavar="FILE",
    help="A SQL script to run on the database.",
)  # fmt: skip
@click.option("-L", "--logical-replication", is_flag=True, default=None,
    help="Create it with wal_level = logical.",
)  # fmt: skip
@click.option("--postgres", type=int, metavar="MAJOR", help="Its major version, e.g. 17.")
@click.option("-r", "--ref", help="The referrer sent to claimable and neon.new.")
@click.option("--provider", shell_complete=options.completed("providers"),
    help="local, claimable, account, neon.new, or a plugin's provider.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Create one even if the variable already has a value.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask: replace an expired database.")
@output.json_option
def up(force: bool, yes: bool, **arguments: Any) -> None:
    """Find the project's database, or create one and write .env."""
    if yes:
        arguments["on_expiry"] = "replace"
    start = options.start(**arguments)
    if start.settings.source("seed") == "argument":
        permission.check_enabled(start.settings)
    database = start.run(force=force)
    if failed := start.migrate(database):
        start.remarks.append(failed)
    if start.settings.source("seed") == "argument" and not database.created:
        if database.provider == USER:
            raise NeonupError(
                f"{database.key} is your own database; neonup seeds only the databases that "
                "it created.",
                remedy='Run the script yourself: psql "$(neonup url --direct)" -f FILE',
            )
        _seed(start, database)
    start.remarks += announce.findings(database, start.settings)
    output.show_database(database, start.remarks)


def _seed(start: Any, database: Any) -> None:
    from neonup.env import lock
    from neonup.start import ready

    with lock.project(start.settings):
        ready.seed(start.settings.seed, start.settings, database)
