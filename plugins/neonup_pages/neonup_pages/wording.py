"""Times, spans and sizes as people say them. Templates know this module as `wording`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def when(moment: datetime) -> str:
    """For example ``25 Nov 2026, 13:05:09 UTC``."""
    moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M:%S} UTC"


def ago(moment: datetime, now: datetime) -> str:
    """For example ``3 hours ago``; a date where it is long ago."""
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds > 30 * 86_400:
        return f"on {moment.astimezone(UTC).day} {moment:%b %Y}"
    return f"{_largest(seconds)} ago"


def left(moment: datetime, now: datetime) -> str:
    """For example ``2 days``; what a countdown shows without scripts."""
    seconds = (moment - now).total_seconds()
    if seconds <= 0:
        return "now"
    return _largest(seconds) if seconds >= 60 else "less than a minute"


def span(seconds: float) -> str:
    """For example ``2 h 5 min``."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def size(count: float) -> str:
    """For example ``38.2 MB``."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """For example ``1 branch``, ``3 branches``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def short(text: str, length: int) -> str:
    """A name that fits."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def iso(moment: datetime) -> str:
    """For `datetime` attributes."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def field(moment: datetime) -> str:
    """For fields of type `datetime-local`, which are in UTC here."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def from_field(text: str) -> datetime | None:
    """The moment in such a field; None where it is empty.

    Raises:
        ValueError: the text is not a date and time.
    """
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _largest(seconds: float) -> str:
    for length, unit in _UNITS:
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return counted(int(timedelta(seconds=seconds).total_seconds()), "second")
