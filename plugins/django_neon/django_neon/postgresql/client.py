"""``dbshell``, which asks where the database is without connecting."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.backends.postgresql.client import DatabaseClient as PostgresClient

from django_neon import place


class DatabaseClient(PostgresClient):
    """Finds the database before psql is started."""

    def runshell(self, parameters: Iterable[str]) -> None:
        """Run psql on it."""
        place.fill(self.connection.settings_dict)
        super().runshell(parameters)
