"""The options by which every command finds the project's database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from neonup.cli import output
from neonup.database import Database
from neonup.errors import NeonupError
from neonup.settings import resolve
from neonup.start import announce, owner, permission
from neonup.start.flow import Start
from neonup.start.lookup import check_ours, find_database
from neonup.start.permission import refusal

F = TypeVar("F", bound=Callable[..., Any])
SIGN = "the neonup command"


def completed(known: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """The ``shell_complete`` with the names that a function of `neonup.cli.completion` knows."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        from neonup.cli import completion  # no start needs it

        return completion.names(getattr(completion, known))(ctx, param, incomplete)

    return complete


def database_options(function: F) -> F:
    """``-e/--env`` and ``-k/--key``, as the official ``neon-new`` has them."""
    function = click.option(
        "-k",
        "--key",
        help="The variable that holds the URL.",
        shell_complete=completed("databases"),
    )(function)
    return click.option(
        "-e", "--env", "env_file", type=click.Path(), metavar="FILE",
        help="The .env file to read and write.",
    )(function)  # fmt: skip


def yes_option(function: F) -> F:
    """``-y/--yes``: nobody is asked."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(function)


def make_sure(question: str, yes: bool, *, lost: str = "changed") -> None:
    """Ask before data is lost.

    Raises:
        NeonupError: the answer is no, or there is nobody to ask.
    """
    if not yes and not output.confirm(question):
        raise NeonupError(f"Nothing was {lost}.", remedy="Pass --yes to skip the prompt.")


def owner_option(function: F) -> F:
    """``--of``: the other folder whose database may be changed from here."""
    return click.option(
        "--of", "owner", type=click.Path(file_okay=False), metavar="FOLDER",
        help="The other folder whose database this is, where it is meant all the same.",
    )(function)  # fmt: skip


def start(**arguments: Any) -> Start:
    """A start on behalf of a person at the command line."""
    return Start(
        resolve(None, **arguments),
        sign=SIGN,
        confirm=output.confirm,
        quiet=True,
    )


def change(**arguments: Any) -> Start:
    """As `start`, for a command that changes a database or ``.env``.

    Raises:
        NeonupError: ``NEONUP=off`` forbids it.
    """
    changing = start(**arguments)
    permission.check_enabled(changing.settings)
    return changing


def recorded(start: Start) -> Database:
    """The project's database as recorded, unchecked.

    Raises:
        NeonupError: there is none.
    """
    database = find_database(start.settings)
    if database is None:
        raise refusal(start.settings, None)
    return database


def ours(start: Start) -> Database:
    """As `recorded`, but only one that neonup created."""
    database = recorded(start)
    check_ours(database)
    return database


def answering(start: Start) -> Database:
    """The project's database, woken if need be; it must have been created before.

    Raises:
        NeonupError: there is none, or it is lost or expired.
    """
    start.create = False
    return database_of(start)


def database_of(start: Start) -> Database:
    """The database of a start; on stderr, whose it is where it is another folder's."""
    database = start.run()
    if start.owner is not None and not output.wants_json():
        announce.remark(owner.words(start.owner), start.settings)
    return database
