"""Recording a database that did not come about by a start, e.g. one adopted from an account."""

from __future__ import annotations

import os

from neonup.database import Database
from neonup.env import record
from neonup.settings import Settings
from neonup.start import lock, lookup


def record_database(settings: Settings, database: Database) -> Database:
    """Write a database into the project's file, in place of one recorded there, and publish it.

    Args:
        settings: the project's.
        database: the database; ``os.environ`` has its URL afterwards.

    Returns:
        The database, with the file as its source.

    Raises:
        EnvFileError: the file could not be written; it is as it was.
    """
    with lock.project(settings):
        file = lookup.file_of(settings)
        replace = lookup.recorded(settings) is not None
        record.write(database, settings, file, replace=replace)
    lookup.publish(database, os.environ)
    return database.with_(source=str(file))
