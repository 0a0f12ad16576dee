"""Databases for tests: beside the development one on its server, if that is on this machine."""

from __future__ import annotations

import functools
from typing import Any

from django.db.backends.postgresql.creation import DatabaseCreation as PostgresCreation

import neonup
from django_neon import place
from django_neon.errors import DatabaseUnavailable
from neonup import NeonupError

USER = "user"


class DatabaseCreation(PostgresCreation):
    """Finds the server before it is asked for a name, and never fills one that is elsewhere."""

    def test_db_signature(self) -> tuple[Any, ...]:
        """What tells two databases apart: where they are must be known."""
        self._require_local_server()
        signature: tuple[Any, ...] = super().test_db_signature()
        return signature

    def _get_test_db_name(self) -> str:
        self._require_local_server()
        return str(super()._get_test_db_name())  # type: ignore[misc]

    def _require_local_server(self) -> None:
        self.connection.pass_the_pooler()  # type: ignore[attr-defined]
        if self.connection.settings_dict["NEON"].get("given"):
            return
        database = place.database(self.connection.settings_dict["NEON"])
        if database.provider != USER and not neonup.is_local(database):
            error = NeonupError(
                f"Tests do not create databases beside the {database.provider} database of "
                f"{database.key}, which is not on this machine.",
                remedy="With neonup[local], NEONUP_ENV_FILE=.env.test uses a local one for tests.",
            )
            raise DatabaseUnavailable(str(error))


@functools.cache
def over(creation: type[Any]) -> type[Any]:
    """The class over another backend's."""
    if issubclass(DatabaseCreation, creation):
        return DatabaseCreation
    return type("DatabaseCreation", (DatabaseCreation, creation), {"__module__": __name__})
