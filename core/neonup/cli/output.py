"""How commands answer: plain text or JSON on stdout, progress and errors on stderr."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from neonup.database import Database
from neonup.errors import NeonupError
from neonup.start import announce

JSON = "neonup.json"
_SIGNS = {"\u2713": "+", "\u2717": "x", "\u2026": "..."}
"""What stands for a sign of ours where the output's encoding has none."""

_ENCODABLE = "neonup.encodable"
F = TypeVar("F", bound=Callable[..., Any])


def prepare() -> None:
    """Let stdout and stderr take any text: a folder's name that is no UTF-8, signs, other letters.

    A name's bytes are written as they are, as ``ls`` writes them; what the encoding does not have
    is replaced.
    """
    codecs.register_error(_ENCODABLE, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors != _ENCODABLE:
            stream.reconfigure(errors=_ENCODABLE)


def _replaced(error: UnicodeError) -> tuple[bytes, int]:
    """An error handler for `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    encoded = b""
    for sign in error.object[error.start : error.end]:
        if "\udc80" <= sign <= "\udcff":  # https://peps.python.org/pep-0383/: a byte of a name
            encoded += bytes([ord(sign) - 0xDC00])
        else:
            encoded += _SIGNS.get(sign, sign).encode("ascii", "backslashreplace")
    return encoded, error.end


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

    click.echo(json.dumps(data, indent=2, default=_plain))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def say(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    click.echo("\n".join(lines))


def tell(lines: Sequence[str]) -> None:
    """Print lines on stdout as the banner has them: after neonup's name, and below it."""
    say(announce.layout(lines, name=style("neonup", bold=True)))


def style(text: str, **how: Any) -> str:
    """Text in colours, where nobody has said NO_COLOR; click drops them off a terminal."""
    return text if os.environ.get("NO_COLOR") else click.style(text, **how)


def confirm(question: str) -> bool:
    """Ask a person; nobody at a terminal means no."""
    return sys.stdin.isatty() and click.confirm(question, err=True)


def fail(error: NeonupError) -> None:
    """Print an error: JSON on stdout where that was asked for, else a few lines on stderr."""
    if wants_json():
        emit({"error": error.as_dict()})
        return
    lines = [error.message, *(style(f"checked: {line}", dim=True) for line in error.checked)]
    if error.remedy:
        lines.append(f"-> {error.remedy}")
    name = style("neonup", fg="red", bold=True)
    click.echo("\n".join(announce.layout(lines, name=name)), err=True)


def table(rows: Mapping[str, str | None]) -> None:
    """Print labels and values in two columns; a None is left out."""
    width = max(map(len, rows), default=0)
    for label, value in rows.items():
        if value is not None:
            click.echo(f"{style(label.ljust(width), dim=True)}  {value}")


def grid(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    """Print rows under the names of their columns; a None is a dash."""
    cells = [list(columns), *([cell or "-" for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        line = "  ".join(padded).rstrip()
        click.echo(line if number else style(line, dim=True))


def date(moment: datetime | None) -> str | None:
    """A moment for a person, in their own time, to the second."""
    return None if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def size(count: float | None) -> str | None:
    """A number of bytes for a person."""
    if count is None:
        return None
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def show_database(database: Database, remarks: Sequence[str]) -> None:
    """Print a database on stdout, as the banner describes it or as JSON."""
    if wants_json():
        emit(database_dict(database))
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    say(announce.lines(database, remarks, colour=colour))


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
