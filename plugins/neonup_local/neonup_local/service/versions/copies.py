"""A copy of a database's data as it is at the moment."""

from __future__ import annotations

from pathlib import Path

from neonup_local.engine import account as accounts
from neonup_local.engine import admin, copying, template
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.records import Record


def take(databases: LocalDatabases, record: Record, target: Path) -> None:
    """Copy a database's data; its server goes on, if it runs. Under the database's lock.

    Args:
        databases: of the home.
        record: the database.
        target: the new data directory.

    Raises:
        EngineError: the server or the disk refused; nothing of the target is left.
    """
    data = databases.folder(record.id) / "data"
    if (data / "postmaster.pid").exists():  # it runs, or was killed and is to recover first
        running = databases.wake_locked(record)
        engine, password = databases.engine_of(running), template.admin_password(databases.home)
        copying.backup(data, target, admin.session(engine, running.port, password))
    else:
        template.copy(data, target, accounts.of_data(data))
