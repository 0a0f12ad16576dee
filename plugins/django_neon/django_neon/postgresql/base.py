"""The backend ``django_neon.postgresql``: another Postgres backend, and where its database is."""

from __future__ import annotations

import functools
import re
import time
import warnings
from importlib import import_module
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from django_neon import development, place
from django_neon.checks import MISSING_DRIVER
from django_neon.errors import DatabaseUnavailable

try:
    from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper

    from django_neon.postgresql import client, creation, named, schema
except ImproperlyConfigured as error:
    raise ImproperlyConfigured(f"{MISSING_DRIVER} (neonup.E001)") from error

DEFAULT_ENGINE = "django.db.backends.postgresql"

_SOON = re.compile(r"starting up|shutting down|recovery|not yet accepting connections")
"""What a server says that is about to take connections: PostgreSQL's canAcceptConnections."""
_RESTART = 10.0  # seconds: a local server recovers from a crash in far less


class DatabaseWrapper(PostgresWrapper):
    """A connection whose database is looked for when it is about to connect.

    Its ``settings_dict`` is filled by `django_neon.place`; the backend that an entry names as
    ``engine`` is underneath.
    """

    client_class = client.DatabaseClient
    creation_class = creation.DatabaseCreation
    SchemaEditorClass = schema.SchemaEditor

    def __new__(
        cls, settings_dict: dict[str, Any] | None = None, *args: Any, **kwargs: Any
    ) -> DatabaseWrapper:
        """A connection over the backend that the entry names.

        Without an entry, as `copy` and `pickle` ask for it, one of this very class.
        """
        if cls is not DatabaseWrapper or settings_dict is None:
            return object.__new__(cls)
        engine = settings_dict.get("NEON", {}).get("engine", DEFAULT_ENGINE)
        return object.__new__(over(engine))

    def get_connection_params(self) -> dict[str, Any]:
        """Where to connect, found or created if this is the process's first connection."""
        try:
            place.fill(self.settings_dict)
        except DatabaseUnavailable as error:
            if not development.goes_without():
                raise
            # makemigrations would warn that it could not compare with what is not there.
            warnings.filterwarnings("ignore", "Got an error checking a consistent migration")
            raise self.Database.OperationalError(str(error)) from error
        named.ensure(self)
        parameters: dict[str, Any] = super().get_connection_params()
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; where that fails, wake the database and connect once more."""
        try:
            with place.service_hidden(self.settings_dict):
                return super().get_new_connection(conn_params)
        except self.Database.OperationalError as error:
            if type(error).__name__ == "PoolTimeout" and self._answers(conn_params):
                raise  # all of the pool's connections are in use
            self._wake(error)
        deadline = time.monotonic() + _RESTART
        while True:
            try:
                parameters = self.get_connection_params()
                with place.service_hidden(self.settings_dict):
                    return super().get_new_connection(parameters)
            except self.Database.OperationalError as error:
                if not _SOON.search(str(error)) or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    @property
    def pool(self) -> Any:
        """psycopg's pool, where ``OPTIONS`` ask for one."""
        pool = super().pool
        if pool is not None:
            from django_neon.postgresql.pool import wake_on_connect

            wake_on_connect(pool, self.settings_dict)
        return pool

    def _answers(self, conn_params: dict[str, Any]) -> bool:
        try:
            with place.service_hidden(self.settings_dict):
                self.Database.connect(**conn_params).close()
        except self.Database.OperationalError:
            return False
        return True

    def _wake(self, error: Exception) -> None:
        try:
            place.fill(self.settings_dict, again=True)
        except DatabaseUnavailable as reason:
            raise self.Database.OperationalError(f"{error}\n{reason}") from reason
        self._forget_pool()

    def chunked_cursor(self) -> Any:
        """A server-side cursor, except behind a pooler, which is known only now."""
        place.fill(self.settings_dict)
        if self.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
            return self.cursor()
        return super().chunked_cursor()

    def prepare_database(self) -> None:
        """What ``migrate`` calls first: its locks and its session need the direct connection."""
        self.pass_the_pooler()
        super().prepare_database()

    def pass_the_pooler(self) -> None:
        """Connect directly from now on, in this process."""
        described = self.settings_dict.setdefault("NEON", {})
        if described.get("pooled") is not False:
            described["pooled"] = False
            self.close()
            self._forget_pool()
        place.fill(self.settings_dict)

    def _forget_pool(self) -> None:
        """Close psycopg's pool, which would go on connecting to where the database was."""
        if self.alias in getattr(self, "_connection_pools", ()):  # Django has pools since 5.1
            self.close_pool()


@functools.cache
def over(engine: str) -> type[DatabaseWrapper]:
    """The connection class over a backend."""
    if engine == DEFAULT_ENGINE:
        return DatabaseWrapper
    try:
        backend = import_module(f"{engine}.base").DatabaseWrapper
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(
            f"The backend {engine}, which DATABASES names as engine=, cannot be imported: {error}."
        ) from error
    return type(
        "DatabaseWrapper",
        (DatabaseWrapper, backend),
        {
            "__module__": __name__,
            "client_class": client.over(backend.client_class),
            "creation_class": creation.over(backend.creation_class),
            "SchemaEditorClass": schema.over(backend.SchemaEditorClass),
            "__reduce__": lambda self: (_empty, (engine,), self.__dict__),
        },
    )


def _empty(engine: str) -> DatabaseWrapper:
    """A connection over a backend for `copy` and `pickle` to fill: its class has no name."""
    return object.__new__(over(engine))
