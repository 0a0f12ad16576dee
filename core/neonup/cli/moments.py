"""Moments as people write them: a time, how long ago, or a position in the log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

_AGO = re.compile(r"-?\s*(\d+)\s*(s|m|h|d)[a-z]*(?:\s+ago)?", re.IGNORECASE)
_LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Moment:
    """A moment in a branch's history: one of the two is set.

    Args:
        time: aware.
        lsn: a position in its log.
    """

    time: datetime | None = None
    lsn: str | None = None


def _span(text: str) -> timedelta | None:
    if (match := _AGO.fullmatch(text)) is None:
        return None
    return timedelta(**{_UNITS[match[2].lower()]: int(match[1])})


class MomentType(click.ParamType[Moment]):
    """``--at``: an ISO time (local unless it has an offset), ``5m ago``, ``-5m``, or an LSN."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Moment:
        """As click calls it."""
        text = str(value).strip()
        if _LSN.fullmatch(text):
            return Moment(lsn=text.upper())
        try:
            if (span := _span(text)) is not None:
                return Moment(time=datetime.now(UTC) - span)
            return Moment(time=datetime.fromisoformat(text).astimezone())
        except (ValueError, OverflowError, OSError):
            self.fail(
                f"{text!r} is no moment: an ISO time, how long ago (5m, '2h ago'), or an LSN.",
                param,
                ctx,
            )


class ExpiryType(click.ParamType[datetime]):
    """``--expires``: an ISO time, or how long from now: ``2h``."""

    name = "expiry"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """As click calls it."""
        text = str(value).strip()
        try:
            if (span := _span(text)) is not None:
                return (datetime.now(UTC) + span).replace(microsecond=0)
            return datetime.fromisoformat(text).astimezone()
        except (ValueError, OverflowError, OSError):
            self.fail(f"{text!r} is no time: an ISO time, or how long from now (2h).", param, ctx)


AT = MomentType()
EXPIRES = ExpiryType()
