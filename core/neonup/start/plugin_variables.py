"""The variables that plugins add beside a new database's URL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from neonup.database import Database
from neonup.env import record_changes
from neonup.errors import NeonupError
from neonup.settings import Settings
from neonup.start import lookup

if TYPE_CHECKING:
    import pluggy


def add(settings: Settings, database: Database, file: Path, manager: pluggy.PluginManager) -> None:
    """Ask the plugins and write what they answer. The caller holds the project's lock.

    Args:
        database: the database, which the file records already: a plugin's fault loses no URL.
        manager: the plugins.

    Raises:
        NeonupError: a plugin failed, or its variables could not be written.
    """
    extra: dict[str, str] = {}
    try:
        for more in manager.hook.neonup_env(database=database):
            extra |= more
    except NeonupError:
        raise
    except Exception as error:
        raise NeonupError(
            f"A plugin's neonup_env failed: {type(error).__name__}: {error}",
            remedy=f"The database exists and is in {file.name}; the next start calls the plugins "
            "again.",
        ) from error
    if not extra:
        return
    record_changes.write(database, settings, file, extra=extra, replace=True)
    for name, value in extra.items():
        lookup.mark(name, value, os.environ)
