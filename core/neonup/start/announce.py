"""Step 6 of the flow: one short banner a start, on stderr, so that no output is disturbed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from neonup.database import USER, Database
from neonup.env import record
from neonup.settings import Settings
from neonup.start import lookup, ready
from neonup.start import once as starts

ANNOUNCED = "NEONUP_ANNOUNCED"
_SOON = timedelta(hours=6)
_KINDS = {
    "local": "a local Postgres",
    "account": "a Neon database of your account",
    "claimable": "a Neon database that is nobody's yet",
    USER: "your own database",
}


def banner(database: Database, settings: Settings, remarks: Sequence[str] = ()) -> None:
    """Say which database it is, from where, how long it lives and how to claim it.

    Once per start: a child process of one that said the same says nothing, nor does a process
    whose start, as `neonup.start.once` knows it, has said so.
    """
    said = f"{database.key}:{lookup.checksum(database.url)}"
    before = os.environ.get(ANNOUNCED, "").split()
    if not settings.banner or said in before or ready.is_running():
        return
    os.environ[ANNOUNCED] = " ".join([*before, said])
    if not starts.first(settings.home, said.replace(":", "-")):
        return
    colour = _is_terminal() and not os.environ.get("NO_COLOR")
    _tell("\n".join(lines(database, remarks, colour=colour)))


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it is closed
        return False


def remark(text: str, settings: Settings) -> None:
    """Say something that happened at this start, where a banner is wanted."""
    if settings.banner and not ready.is_running():
        _tell(f"neonup  {text}")


def _tell(text: str) -> None:
    """Print on stderr; a program that has closed it, or whose has few letters, starts as well."""
    stream = sys.stderr
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
    said = [f"{verb} {describe(database)}"]
    told = f"{database.key} {place} {_place(database.source)}"
    remaining = database.expires_in
    if remaining is not None:
        warn = bold if remaining < _SOON else ""
        said.append(f"{told}; {warn}expires in {duration(remaining)}{plain} unless claimed")
    elif database.provider == "local" and database.created:
        said.append(f"{told}; yours to keep until `neonup destroy`")
    else:
        said.append(told)
    if database.claim_url:
        said.append(f"claim it: {database.claim_url}")
    said += [f"{dim}{remark}{plain}" for remark in [database.note, *remarks] if remark]
    return [f"{bold}neonup{plain}  {said[0]}", *(f"        {line}" for line in said[1:])]


def describe(database: Database) -> str:
    """The database in a few words: ``a local Postgres, 127.0.0.1:20432/neondb``."""
    path = database.url.rpartition("@")[2].partition("?")[0].partition("/")[2]
    where = f"{record.host(database.url)}/{path}".rstrip("/")
    kind = _KINDS.get(database.provider, f"a {database.provider} database")
    return f"{kind}, {where}"


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
