"""Points in time as people write them: a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

_SPAN = re.compile(r"-?\s*(\d+)\s*(s|m|h|d)[a-z]*(?:\s+ago)?", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def time_span(text: str) -> timedelta | None:
    """A time span like ``30d`` or ``5m ago``; None: the text is none.

    Raises:
        OverflowError: it is too long.
    """
    if (match := _SPAN.fullmatch(text)) is None:
        return None
    return timedelta(**{_UNITS[match[2].lower()]: int(match[1])})


def at(text: str) -> datetime:
    """``--at``: an ISO time (local unless it has an offset), ``5m ago`` or ``-5m``.

    Raises:
        click.BadParameter: it is none of these.
    """
    return _time(text, -1, f"{text!r} is no moment: an ISO time, or how long ago ('5m ago').")


def expiry(text: str) -> datetime:
    """``--expires``: an ISO time, or how long from now: ``2h``.

    Raises:
        click.BadParameter: it is neither.
    """
    return _time(text, 1, f"{text!r} is no time: an ISO time, or how long from now (2h).").replace(
        microsecond=0
    )


def _time(text: str, direction: int, message: str) -> datetime:
    text = text.strip()
    try:
        if (span := time_span(text)) is not None:
            return datetime.now(UTC) + direction * span
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(message) from None
