"""What Django asks to create, clone and destroy test databases."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

from django.conf import settings
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db.backends.postgresql.creation import DatabaseCreation as PostgresCreation


class TestDatabases(Protocol):
    """What makes the test databases: `neonup_pytest.django.aliases.Aliases`."""

    names: dict[str, str]

    def make(self, alias: str, verbosity: int) -> bool:
        """Make an alias's database; returns whether its template was built for it."""

    def clone(self, name: str, clone: str) -> None:
        """Make another one of the same template."""

    def destroy(self, name: str) -> None:
        """Drop one."""


class _Pinned(dict[str, Any]):
    """An alias's settings with a name that stays, and without a pool, which threads would share."""

    def __init__(self, entry: dict[str, Any], name: str):
        options = {key: value for key, value in entry["OPTIONS"].items() if key != "pool"}
        super().__init__({**entry, "NAME": name, "OPTIONS": options})

    def __setitem__(self, key: str, value: Any) -> None:
        if key != "NAME":
            super().__setitem__(key, value)


class TemplateCreation(PostgresCreation):
    """Takes a test database from the template, and makes the template as Django makes databases.

    Stands before the class of the backend, see `over`.
    """

    aliases: TestDatabases

    def create_test_db(
        self,
        verbosity: int = 1,
        autoclobber: bool = False,
        serialize: bool | None = None,
        keepdb: bool = False,
    ) -> str:
        """Put the database there; returns its name."""
        connection: Any = self.connection
        name = self._get_test_db_name()
        connection.close()
        settings.DATABASES[connection.alias]["NAME"] = name
        connection.settings_dict["NAME"] = name
        built = self.aliases.make(connection.alias, verbosity)
        if not built:
            self._tell(verbosity, name)
            _emit_signals(verbosity, connection.alias)
        if serialize:
            connection._test_serialized_contents = self.serialize_db_to_string()
        connection.ensure_connection()
        return name

    def migrate_empty(self, name: str, verbosity: int) -> None:
        """Migrate an empty database, as Django does after it has made one.

        Only this thread's connection leads there: other threads have the alias's settings.
        """
        default = inspect.signature(PostgresCreation.create_test_db).parameters["serialize"].default
        more: dict[str, Any] = {"serialize": False} if default else {}  # deprecated from 6.1 on
        connection: Any = self.connection
        self.disconnect()
        settings_dict = connection.settings_dict
        connection.settings_dict = _Pinned(settings_dict, name)
        try:
            super().create_test_db(verbosity=verbosity, autoclobber=True, **more)
        finally:
            connection.close()
            connection.settings_dict = settings_dict

    def disconnect(self) -> None:
        """Close what this process has open to the database."""
        self.connection.close()
        if hasattr(self.connection, "close_pool"):  # from Django 5.1 on
            self.connection.close_pool()

    def _tell(self, verbosity: int, name: str) -> None:
        if verbosity >= 1:
            shown = self._get_database_display_str(verbosity, name)  # type: ignore[attr-defined]
            self.log(f"Copying test database for alias {shown} from its template...")

    def _get_test_db_name(self) -> str:
        return self.aliases.names[self.connection.alias]

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        return self._get_test_db_name()  # it is there, and empty

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        self.disconnect()
        clone = str(self.get_test_db_clone_settings(suffix)["NAME"])
        self.aliases.clone(self._get_test_db_name(), clone)

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        self.disconnect()
        self.aliases.destroy(test_database_name)


def _emit_signals(verbosity: int, alias: str) -> None:
    """What ``migrate`` emits where nothing is left to migrate; handlers do their own part then."""
    from django.apps import apps

    verbosity_of_signals = max(verbosity - 1, 0)
    emit_pre_migrate_signal(verbosity_of_signals, False, alias, apps=apps, plan=[])
    emit_post_migrate_signal(verbosity_of_signals, False, alias, apps=apps, plan=[])


def over(creation: type[Any]) -> type[TemplateCreation]:
    """The class over a backend's."""
    if issubclass(creation, TemplateCreation):
        return creation
    if issubclass(TemplateCreation, creation):
        return TemplateCreation
    made: type[TemplateCreation] = type(
        "DatabaseCreation", (TemplateCreation, creation), {"__module__": __name__}
    )
    return made
