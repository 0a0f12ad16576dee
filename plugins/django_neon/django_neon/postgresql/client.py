"""``dbshell``, which asks where the database is without connecting."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from django.db.backends.postgresql.client import DatabaseClient as PostgresClient

import neonup
from django_neon import place
from django_neon.postgresql import named


class DatabaseClient(PostgresClient):
    """Finds the database before psql is started."""

    def runshell(self, parameters: Iterable[str]) -> None:
        """Run psql; ``PGSERVICE`` and its like do not lead it away from a database of neonup's."""
        entry = self.connection.settings_dict
        place.fill(entry)
        named.ensure(self.connection)
        before = neonup.libpq.take_out(os.environ) if entry["NEON"].get("own") else {}
        try:
            super().runshell(parameters)
        finally:
            os.environ.update(before)


def over(client: type[Any]) -> type[Any]:
    """The class over another backend's."""
    if issubclass(DatabaseClient, client):
        return DatabaseClient
    return type("DatabaseClient", (DatabaseClient, client), {"__module__": __name__})
