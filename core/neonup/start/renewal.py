"""Recording what changed about a database, unless another one has taken its place meanwhile.

Loaded only where something changed.
"""

from __future__ import annotations

from neonup.database import Database
from neonup.env import lock, record_changes
from neonup.settings import Settings
from neonup.start import lookup


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
