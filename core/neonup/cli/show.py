"""``status``, ``url`` and ``env``: what is known of the project's database."""

from __future__ import annotations

import os
import shlex
from typing import Any

import click

from neonup.cli import options, output
from neonup.cli.groups import Choice
from neonup.database import USER, Inspection, State
from neonup.env import git
from neonup.postgres import drivers, urls
from neonup.start import announce, lookup, owner, unanswered

_ADOPT = "if its password is refused: neonup adopt, signed in to that account"
_COLOURS = {State.READY: "green", State.STOPPED: "yellow"}


@click.command()
@options.database_options
@output.json_option
def status(**arguments: Any) -> None:
    """Show which database this is, whether it responds, and when it expires."""
    start = options.start(**arguments)
    database = options.recorded(start)
    if database.provider == USER:
        seen = Inspection(State.READY, database, {"checked": "no: it is your own"})
        if where := unanswered.unanswered(database):
            seen = Inspection(
                State.STOPPED,
                database,
                {"answers": f"no: {where}", "next": unanswered.remedy(start.settings)},
            )
        if database.before_claim:
            detail = {"claimed": "it belongs to its owner's account", "next": _ADOPT}
            seen = Inspection(State.CLAIMED, database, detail)
    else:
        seen = start.provider(database).inspect(database)
    other = owner.settle(start.settings, database)
    database = seen.database
    detail = dict(seen.detail)
    if database.own and git.in_main_worktree(start.settings.project):
        branch = git.branch(other or start.settings.owner or start.settings.project)
        detail = {**({"git branch": branch} if branch else {}), **detail}  # or as it was noted
    if output.wants_json():
        output.emit(
            {
                **output.database_dict(database),
                "state": seen.state,
                "belongs_to": None if other is None else str(other),
                "detail": detail,
            }
        )
        return
    remaining = database.expires_in
    output.table(
        {
            "database": announce.describe(database),
            "state": output.style(seen.state, fg=_COLOURS.get(seen.state, "red"), bold=True),
            "url": urls.mask(database.url),
            "from": database.source,
            "belongs to": None
            if other is None
            else f"{other}; `neonup fork` gives this folder a copy of its own",
            "id": database.id,
            "expires in": None if remaining is None else announce.duration(remaining),
            "claim it": None if seen.state is State.CLAIMED else database.claim_url,
            **detail,
        }
    )


@click.command()
@options.database_options
@click.option(
    "--direct",
    is_flag=True,
    help="The direct URL, without the pooler: for migrations, dumps, LISTEN.",
)
@click.option(
    "--driver",
    type=Choice(sorted(drivers.DRIVERS)),
    help="The form of the URL that this driver takes.",
)
@click.option("--server", is_flag=True, help="The server's URL, which names no database.")
@output.json_option
def url(direct: bool, driver: str | None, server: bool, **arguments: Any) -> None:
    """Print the connection URL, password included; wake the database if need be."""
    start = options.start(**arguments)
    database = options.answering(start)
    text = database.direct if direct or server else database.url
    if server and database.own:
        text = start.provider(database).server_url(database)
    elif server:
        text = urls.without_database(text)
    text = drivers.for_driver(text, driver or "libpq")
    if output.wants_json():
        output.emit({"url": text})
    else:
        click.echo(text)


@click.command()
@options.database_options
@output.json_option
def env(**arguments: Any) -> None:
    """Print the variables for a shell: eval "$(neonup env)"."""
    start = options.start(**arguments)
    database, settings = options.answering(start), start.settings
    direct = database.with_(direct_url=database.direct)
    others = lookup.own_variables(settings, os.environ)
    variables = {
        name: value
        for name, value in lookup.database_variables(settings, direct).items()
        if name not in others
    }
    if output.wants_json():
        output.emit(variables)
        return
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
