"""An entry of ``DATABASES``: what reads it sees Django's own backend, and where the database is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

ENGINE = "django_neon.postgresql"
"""The backend to which Django is led."""

LATER = ("HOST", "PORT", "USER", "PASSWORD", "NAME")
"""What is empty until somebody needs it."""


class BackendName(str):
    """The name of a backend, which leads Django to ours.

    It is equal to the name of the backend underneath, for all code that compares ``ENGINE``. Django
    imports the module ``"%s.base" % ENGINE``, and this formatting asks `str`, which is ours:
    https://github.com/django/django/blob/stable/5.2.x/django/db/utils.py, ``load_backend``.
    """

    __slots__ = ()

    def __str__(self) -> str:
        """The module that Django imports."""
        return ENGINE

    def __format__(self, specification: str) -> str:
        """As `str`, so that both ways to write it lead to one module."""
        return format(ENGINE, specification)


class Entry(dict[str, Any]):
    """An entry whose place is looked for when somebody reads it, as a connection looks for it.

    Not while Django starts, nor in tests or by commands that need no database: there it has what
    was written into it. The same holds for a copy that is a plain dictionary.
    """

    def __getitem__(self, name: str) -> Any:
        """A value; where the database is, found or created."""
        self._look(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As ``[]``, or the default."""
        self._look(name)
        return super().get(name, default)

    def copy(self) -> Entry:
        """An entry of the same content, which looks for itself."""
        return copied(self)

    def _look(self, name: str) -> None:
        if name not in LATER or super().get(name) != "" or super().get("USER"):
            return
        django = sys.modules.get("django.apps")
        if django is not None and django.apps.ready:
            from django_neon import place  # the settings, which make entries, import no neonup

            place.fill_for_reader(self)


def is_ours(entry: Mapping[str, Any]) -> bool:
    """Whether an entry leads to our backend: `database()` made it, or it is a copy of one."""
    return str(entry.get("ENGINE", "")) == ENGINE


def adopt(databases: dict[str, Any]) -> None:
    """Let the copies of entries look for themselves as well: ``{**DATABASES["default"], ...}``."""
    for alias, entry in databases.items():
        if is_ours(entry) and not isinstance(entry, Entry):
            databases[alias] = copied(entry)


def copied(entry: Mapping[str, Any]) -> Entry:
    """An entry that shares nothing with the one that it is made of; nothing is looked for."""
    own = {name: dict(entry[name]) for name in ("NEON", "OPTIONS", "TEST") if name in entry}
    return Entry({**entry, **own})
