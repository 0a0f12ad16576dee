"""All variables of a project that name its database: the key, and those of the settings."""

from __future__ import annotations

from neonup.database import Database
from neonup.settings import Settings


def database_variables(settings: Settings, database: Database) -> dict[str, str]:
    """The variables with which a project reaches a database, by name.

    These are the key, the key's direct form where that URL differs, and the variables of
    ``[tool.neonup.variables]``. Which of them the user has set already is for the caller to see.

    Args:
        settings: the project's.
        database: its database, or another one in its place, e.g. a test's; ``url`` and
            ``direct_url`` count.

    Raises:
        SettingsError: the URL is none of a Postgres database, and parts of it are needed.
    """
    values = {settings.key: database.url}
    if database.direct_url and database.direct_url != database.url:
        values[f"{settings.key}_DIRECT"] = database.direct_url
    if settings.variables:
        from neonup.postgres import templates  # which most projects do without

        values |= templates.fill(settings.variables, database.url, database.direct)
    return values
