"""What migrations run on: an error says where to get what the server lacks."""

from __future__ import annotations

from typing import Any

from django.db import Error
from django.db.backends.postgresql.schema import DatabaseSchemaEditor

import neonup
from django_neon import place
from neonup import NeonupError


class SchemaEditor(DatabaseSchemaEditor):
    """Django's, with a note on the error of a statement that this Postgres cannot run."""

    def execute(self, sql: Any, params: Any = ()) -> None:
        """Run a statement; where the server lacks something, its error gets a note."""
        try:
            super().execute(sql, params)
        except Error as error:
            if remedy := _remedy(str(error), self.connection.settings_dict.get("NEON", {})):
                error.add_note(remedy)
            raise


def over(editor: type[Any]) -> type[Any]:
    """The class over another backend's."""
    if issubclass(SchemaEditor, editor):
        return SchemaEditor
    return type("SchemaEditor", (SchemaEditor, editor), {"__module__": __name__})


def _remedy(message: str, described: dict[str, Any]) -> str | None:
    try:
        settings = neonup.resolve(**place.arguments(described))
        given = described.get("given")  # by neonup-pytest, whose server is a local one
        database = None if given else neonup.find(**place.arguments(described))
        provider = "local" if given else database.provider if database else neonup.USER
        return neonup.explain_failure(message, settings, provider)
    except NeonupError:
        return None
