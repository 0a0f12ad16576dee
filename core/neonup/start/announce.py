"""Step 6 of the flow: one short banner a start, on stderr, so that no output is disturbed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neonup.database import USER, Database
from neonup.env import record
from neonup.providers import registry
from neonup.settings import Settings
from neonup.start import lookup, ready
from neonup.start import once as starts

if TYPE_CHECKING:
    from datetime import timedelta

_SOON = 6 * 3600  # seconds


def banner(database: Database, settings: Settings, remarks: Sequence[str] = ()) -> None:
    """Say which database it is, from where, how long it lives and how to claim it.

    Once per start: a child process of one that said the same says nothing, nor does a process
    whose start, as `neonup.start.once` knows it, has said so.
    """
    if not settings.banner or ready.is_running():
        return
    if not starts.first(settings.home, f"{database.key}-{record.checksum(database.url)}"):
        return
    colour = is_terminal() and not os.environ.get("NO_COLOR")
    _print(*lines(database, [*remarks, *findings(database, settings)], colour=colour))


def findings(database: Database, settings: Settings) -> list[str]:
    """What a look at a database that was found tells: nobody serves it, or it lacks migrations."""
    if database.provider == USER:
        from neonup.start import unanswered  # no other database needs it

        return unanswered.remarks(database, settings)
    if settings.migrate and not database.created:
        from neonup.start import alembic  # few projects name a command

        return alembic.remarks(settings, database)
    return []


def is_terminal() -> bool:
    """Whether a person sees stderr."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it is closed
        return False


def remark(text: str, settings: Settings) -> None:
    """Say something that happened at this start, where a banner is wanted."""
    if settings.banner and not ready.is_running():
        tell(text)


def tell(*lines: str) -> None:
    """Print lines on stderr in the banner's layout."""
    _print(*layout(lines))


def _print(*lines: str) -> None:
    """Print on stderr; a program that has closed it, or whose has few letters, starts as well."""
    stream, text = sys.stderr, "\n".join(lines)
    if stream is None:  # pythonw, some services
        return
    with contextlib.suppress(OSError, ValueError):
        try:
            print(text, file=stream, flush=True)
        except UnicodeEncodeError:  # not Python's own stderr, which replaces what it cannot say
            print(text.encode("ascii", "backslashreplace").decode(), file=stream, flush=True)


def lines(database: Database, remarks: Sequence[str] = (), *, colour: bool = False) -> list[str]:
    """The banner's lines; they hold the claim link, but no password."""
    bold, dim, plain = ("\x1b[1m", "\x1b[2m", "\x1b[0m") if colour else ("", "", "")
    verb, place = ("created", "written to") if database.created else ("found", "from")
    texts = [f"{verb} {describe(database)}"]
    origin = f"{database.key} {place} {_place(database.source)}"
    remaining = database.expires_in
    if remaining is not None:
        warn = bold if remaining.total_seconds() < _SOON else ""
        how = "" if database.claim_url else ": `neonup claim`"
        left = f"{warn}expires in {duration(remaining)}{plain}"
        texts.append(f"{origin}; {left} unless claimed{how}")
    elif database.created and (retention := registry.retention(database)):
        texts.append(f"{origin}; {retention}")
    else:
        texts.append(origin)
    if database.claim_url:
        texts.append(f"claim it: {database.claim_url}")
    texts += [f"{dim}{remark}{plain}" for remark in [database.note, *remarks] if remark]
    return layout(texts, name=f"{bold}neonup{plain}")


def layout(lines: Sequence[str], *, name: str = "neonup") -> list[str]:
    """Lines for a person: the first one after neonup's name, the others below its text."""
    first, *more = lines
    return [f"{name}  {first}", *(f"        {line}" for line in more)]


def describe(database: Database) -> str:
    """The database in a few words: ``a local Postgres, 127.0.0.1:20432/neondb``."""
    path = database.url.rpartition("@")[2].partition("?")[0].partition("/")[2]
    where = f"{record.host(database.url)}/{path}".rstrip("/")
    return f"{registry.provider_label(database)}, {where}"


def duration(value: timedelta) -> str:
    """A time span in its two largest units: ``2 d 23 h``, ``4 min``."""
    minutes = max(0, int(value.total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _place(source: str) -> str:
    if source == lookup.ENVIRONMENT:
        return "the environment"
    try:
        return str(Path(source).relative_to(Path.cwd()))
    except (ValueError, OSError):  # elsewhere; or the current folder is gone
        return source
