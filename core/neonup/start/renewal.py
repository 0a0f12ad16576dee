"""Recording what changed about a database, unless another one has taken its place meanwhile.

Loaded only where something changed.
"""

from __future__ import annotations

from neonup.database import USER, Database
from neonup.env import dotenv, lock, record, record_changes
from neonup.errors import EnvFileError
from neonup.settings import Settings
from neonup.start import lookup, ready


def renew(settings: Settings, known: Database, changed: Database) -> bool:
    """Record a database as changed, in place of its old lines.

    Returns:
        False: another database is recorded by now, or none; nothing was written.
    """
    with lock.project(settings):
        if not lookup.is_same(lookup.recorded(settings), known):
            return False
        record_changes.write(changed, settings, lookup.file_of(settings), replace=True)
    return True


def refresh(settings: Settings, database: Database) -> list[str]:
    """Bring a database's lines in the file up to date with the settings.

    Returns:
        What a banner should say: why that could not be done.
    """
    if not settings.enabled or settings.env == "production" or ready.is_running():
        return []  # what is due runs under the lock, and has written them
    file = dotenv.read(lookup.file_of(settings, pipes=False), pipes=False)
    is_ours = database.provider != USER or record.is_written_by_us(file, database)
    if not is_ours or file.text is None or record_changes.is_current(database, settings, file):
        return []
    try:
        with lock.project(settings):
            recorded = lookup.recorded(settings)  # it may be on another port by now
            if recorded is not None and lookup.is_same(recorded, database):
                path = lookup.file_of(settings)
                record_changes.write(recorded, settings, path, replace=True)
    except EnvFileError as error:
        return [f"its variables could not be written: {error.message}"]
    return []
