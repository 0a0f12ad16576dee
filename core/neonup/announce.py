"""Step 6 of the flow: one short banner a start, on stderr, so that no output is disturbed."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from neonup import lookup, record
from neonup.database import USER, Database
from neonup.settings import Settings

ANNOUNCED = "NEONUP_ANNOUNCED"
_SOON = timedelta(hours=6)


def banner(database: Database, settings: Settings) -> None:
    """Say which database it is, from where, how long it lives and how to claim it.

    A child process of one that said the same says nothing.
    """
    if not settings.banner or os.environ.get(ANNOUNCED) == lookup.checksum(database.url):
        return
    os.environ[ANNOUNCED] = lookup.checksum(database.url)
    print("\n".join(lines(database, colour=colourful())), file=sys.stderr)


def colourful() -> bool:
    """Whether stderr is a terminal whose owner has nothing against colours."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def lines(database: Database, *, colour: bool = False) -> list[str]:
    """The banner's lines; they hold the claim link, but no password."""
    bold, dim, plain = ("\x1b[1m", "\x1b[2m", "\x1b[0m") if colour else ("", "", "")
    verb = "made" if database.created else "found"
    head = f"{bold}neonup{plain}  {verb} {describe(database)}"
    said = [head, f"{dim}        {database.key} is from {_place(database.source)}{plain}"]
    if database.created:
        said[1] = f"{dim}        {database.key} is in {_place(database.source)}{plain}"
    remaining = database.expires_in
    if remaining is not None:
        warn = bold if remaining < _SOON else ""
        said.append(f"        {warn}expires in {duration(remaining)}{plain} unless claimed")
    if database.claim_url:
        said.append(f"        claim it: {database.claim_url}")
    if database.note:
        said.append(f"        {database.note}")
    return said


def describe(database: Database) -> str:
    """The database in a few words: ``a local Postgres, 127.0.0.1:20432/neondb``."""
    parts = urlsplit(database.url)
    where = f"{record.host(database.url)}/{parts.path.lstrip('/')}".rstrip("/")
    kind = {"local": "a local Postgres", USER: "your own database"}.get(
        database.provider, f"a {database.provider} database"
    )
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
    except ValueError:
        return source
