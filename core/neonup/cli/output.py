"""How commands answer: plain text or JSON on stdout, progress and errors on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from neonup.database import Database
from neonup.errors import NeonupError

JSON = "neonup.json"
F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """``--json``; `wants_json` tells whether it was given."""
    return click.option(
        "--json", is_flag=True, expose_value=False, help="Print JSON; secrets are not masked."
    )(function)


def wants_json() -> bool:
    """Whether the command line has ``--json``."""
    return bool(click.get_current_context().meta.get(JSON))


def emit(data: Any) -> None:
    """Print data as JSON on stdout."""
    import json

    click.echo(json.dumps(data, indent=2, default=str))


def colourful() -> bool:
    """Whether stdout is a terminal whose owner has nothing against colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def say(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    click.echo("\n".join(lines))


def style(text: str, **how: Any) -> str:
    """Text in colours, where nobody has said NO_COLOR; click drops them off a terminal."""
    return text if os.environ.get("NO_COLOR") else click.style(text, **how)


def progress(text: str) -> None:
    """What is being done, for a person who watches."""
    if sys.stderr.isatty():
        click.echo(style(f"  … {text}", dim=True), err=True)


def confirm(question: str) -> bool:
    """Ask a person; nobody at a terminal means no."""
    return sys.stdin.isatty() and click.confirm(question, err=True)


def make_sure(question: str, yes: bool) -> None:
    """Ask before data is deleted, unless that was answered on the command line.

    Raises:
        NeonupError: the answer was no, or nobody could be asked.
    """
    if not yes and not confirm(question):
        raise NeonupError("Nothing was deleted.", remedy="Pass --yes to skip the prompt.")


def fail(error: NeonupError) -> None:
    """Print an error: JSON on stdout where that was asked for, else a few lines on stderr."""
    if wants_json():
        emit({"error": error.as_dict()})
        return
    click.echo(f"{style('neonup', fg='red', bold=True)}  {error.message}", err=True)
    for line in error.checked:
        click.echo(style(f"        checked: {line}", dim=True), err=True)
    if error.remedy:
        click.echo(f"        -> {error.remedy}", err=True)


def table(rows: Mapping[str, str | None]) -> None:
    """Print labels and values in two columns; a None is left out."""
    width = max(map(len, rows), default=0)
    for label, value in rows.items():
        if value is not None:
            click.echo(f"{style(label.ljust(width), dim=True)}  {value}")


def rows(headings: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """Print lines in columns below headings; a None is a dash."""
    cells = [["-" if one is None else str(one) for one in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for number, line in enumerate([list(headings), *cells]):
        text = "  ".join(map(str.ljust, line, widths)).rstrip()
        click.echo(style(text, dim=True) if number == 0 else text)


def database_dict(database: Database) -> dict[str, Any]:
    """A database as plain data, with its URL and claim link."""
    return {
        "provider": database.provider,
        "id": database.id,
        "key": database.key,
        "url": database.url,
        "direct_url": database.direct,
        "claim_url": database.claim_url,
        "expires_at": database.expires_at.isoformat() if database.expires_at else None,
        "source": database.source,
        "created": database.created,
    }
