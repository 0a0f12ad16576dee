"""``dbshell``, which asks where the database is without connecting."""

from __future__ import annotations

import os
from collections.abc import Iterable

from django.db.backends.postgresql.client import DatabaseClient as PostgresClient

import neonup
from django_neon import place


class DatabaseClient(PostgresClient):
    """Finds the database before psql is started."""

    def runshell(self, parameters: Iterable[str]) -> None:
        """Run psql; ``PGSERVICE`` and its like do not lead it away from a database of neonup's."""
        entry = self.connection.settings_dict
        place.fill(entry)
        before = neonup.libpq.take_out(os.environ) if entry["NEON"].get("own") else {}
        try:
            super().runshell(parameters)
        finally:
            os.environ.update(before)
