"""Times, time spans and positions in the log as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from neonup.plugin import commands

_LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", re.IGNORECASE)


@dataclass(frozen=True)
class Moment:
    """A moment in a branch's history: one of the two is set.

    Args:
        time: aware.
        lsn: a position in its log.
    """

    time: datetime | None = None
    lsn: str | None = None


def at(text: str) -> Moment:
    """``--at``: as `neonup.plugin.commands.at`, or an LSN.

    Raises:
        click.BadParameter: it is none of these.
    """
    if _LSN.fullmatch(text.strip()):
        return Moment(lsn=text.strip().upper())
    try:
        return Moment(time=commands.at(text))
    except click.BadParameter:
        raise click.BadParameter(
            f"{text!r} is no moment: an ISO time, how long ago ('5m ago'), or an LSN."
        ) from None


def span(text: str) -> timedelta:
    """``--wait``: how long: ``30d``, ``12h``.

    Raises:
        click.BadParameter: it is no such thing.
    """
    try:
        if (span := commands.time_span(text.strip())) is not None:
            return span
    except OverflowError:
        pass
    raise click.BadParameter(f"{text!r} is no time span: a number and s, m, h or d (30d).")
