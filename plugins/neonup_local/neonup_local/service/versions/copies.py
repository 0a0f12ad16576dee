"""A copy of a database's data as it is at the moment."""

from __future__ import annotations

import os
from pathlib import Path

from neonup import libpq, urls
from neonup_local.engine import account as accounts
from neonup_local.engine import copying, postmaster, template
from neonup_local.service.databases import Databases
from neonup_local.service.records import Record


def take(databases: Databases, record: Record, target: Path) -> None:
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
        running = databases.finish(record)
        with libpq.service_hidden():
            copying.backup(data, target, _superuser(databases.home, running.port))
    else:
        template.copy(data, target, accounts.of_data(data))


def _superuser(home: Path, port: int) -> dict[str, object]:
    return {
        **libpq.stronger(urls.PostgresUrl(), os.environ),
        "host": postmaster.HOST,
        "port": port,
        "user": template.ADMIN,
        "password": template.admin_password(home),
        "dbname": "postgres",  # the others are the user's, who may have dropped them
        "sslmode": "disable",
        "connect_timeout": 10,
    }
