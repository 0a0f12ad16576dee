"""Recording a database that did not come about by a start, e.g. one adopted from an account."""

from __future__ import annotations

import os
from pathlib import Path

from neonup.database import Database
from neonup.env import record
from neonup.errors import NeonupError
from neonup.settings import Settings
from neonup.start import lock, lookup


def record_database(
    settings: Settings, database: Database, *, replaces: Database | None
) -> Database:
    """Write a database into the project's file, in place of one recorded there, and publish it.

    Args:
        settings: the project's.
        database: the database; ``os.environ`` has its URL afterwards.
        replaces: what was recorded when the caller looked; None: nothing was.

    Returns:
        The database, with the file as its source.

    Raises:
        NeonupError: another database is recorded by now.
        EnvFileError: the file could not be written; it is as it was.
    """
    with lock.project(settings):
        recorded = lookup.recorded(settings)
        if not lookup.is_same(recorded, replaces):
            raise NeonupError(
                f"{settings.key} names another database by now. Nothing was written.",
                remedy="Try again.",
            )
        file = settings.env_file if recorded is None else Path(recorded.source)
        record.write(database, settings, file, replace=recorded is not None)
    lookup.publish(database, os.environ)
    return database.with_(source=str(file))
