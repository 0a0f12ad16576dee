"""System checks; none of them connects, creates or wakes anything.

| number | what |
| --- | --- |
| neonup.E001 | no driver is installed |
| neonup.E002 | neonup's settings or the file with the URL cannot be used |
| neonup.W001 | the database has expired, or does within six hours |
| neonup.W002 | git would publish the file with the URL |
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name for it

from django_neon.entry import is_ours

MISSING_DRIVER = 'Postgres needs a driver: pip install "psycopg[binary]"'
_SOON = timedelta(hours=6)


def check(**kwargs: Any) -> list[CheckMessage]:
    """All checks, over the entries of ``DATABASES`` that are neonup's."""
    from django.conf import settings

    entries = {alias: entry for alias, entry in settings.DATABASES.items() if is_ours(entry)}
    messages: list[CheckMessage] = []
    if entries and not (find_spec("psycopg") or find_spec("psycopg2")):
        messages.append(Error(MISSING_DRIVER, id="neonup.E001"))
    for alias, entry in entries.items():
        messages += _entry(alias, entry)
    return messages


def _entry(alias: str, entry: dict[str, Any]) -> Iterator[CheckMessage]:
    import neonup
    from django_neon import place

    try:
        database = neonup.find(**place.arguments(entry.get("NEON", {})))
    except neonup.NeonupError as error:
        yield Error(error.message, hint=error.remedy, obj=alias, id="neonup.E002")
        return
    if database is None:
        return
    remaining = database.expires_in
    if remaining is not None and remaining < _SOON:
        over = remaining.total_seconds() <= 0
        hours = remaining.total_seconds() / 3600
        yield Warning(
            f"The {database.provider} database "
            + ("has expired." if over else f"expires in {hours:.1f} hours unless claimed."),
            hint="manage.py neonup up --force creates a new one."
            if over
            else "manage.py neonup claim keeps it.",
            obj=alias,
            id="neonup.W001",
        )
    if Path(database.source).is_file():
        for exposure in neonup.exposures(Path(database.source)):
            yield Warning(
                f"{exposure.text}. It holds the database's password.",
                hint=exposure.remedy,
                obj=alias,
                id="neonup.W002",
            )
