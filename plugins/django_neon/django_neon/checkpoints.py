"""A version of the database before ``migrate`` changes it, for ``neonup undo`` to go back to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.db import connections

import neonup
from django_neon import development, place
from django_neon.entry import is_ours
from neonup import USER, NeonupError

_FINISHING = "NEONUP_FINISHING"
"""Neonup sets it to 1 while a database that it has just created is migrated."""


def before_migrate(using: str, plan: Sequence[Any] = (), verbosity: int = 1, **_: Any) -> None:
    """Keep a version, where the setting ``checkpoint_migrations`` is on; for ``pre_migrate``.

    Only in development and not with ``NEONUP=off``, where a migration is about to be applied or
    reversed, and only of a database that neonup created some time before.

    Args:
        using: the database's alias.
        plan: what ``migrate`` is about to do.
        verbosity: 0: say nothing.

    Raises:
        CommandError: it could not be kept; nothing is migrated then.
    """
    described = _described(using)
    if described is None or not plan or not development.is_development():
        return
    if development.are_tests() or os.environ.get(_FINISHING) == "1":
        return
    settings = place.arguments(described)
    try:
        resolved = neonup.resolve(**settings)
        if not (resolved.checkpoint_migrations and resolved.enabled):
            return
        database = place.database(described)
        if database.created or database.provider == USER:
            return
        name = f"migrate-{datetime.now():%Y%m%d-%H%M%S}"
        version = neonup.checkpoint(name, automatic=True, **settings)
    except NeonupError as error:
        raise CommandError(
            f"Nothing was migrated, since no version of the database could be kept.\n{error}\n"
            "NEONUP_CHECKPOINT_MIGRATIONS=off migrates without one."
        ) from error
    if verbosity:
        from neonup.plugin.project import tell

        tell(f"kept the database as {version.name}; `neonup undo` goes back to it")


def _described(using: str) -> dict[str, Any] | None:
    """An entry's ``NEON``; None: its database does not come from neonup."""
    entry = connections[using].settings_dict
    described: dict[str, Any] = entry.get("NEON", {})
    return described if is_ours(entry) and not described.get("given") else None
