"""A database whose recorded time is over. Loaded only then."""

from __future__ import annotations

from neonup.database import Database, Inspection, State
from neonup.errors import DatabaseExpired, ProviderError
from neonup.provider import Provider

_FAILED = "failed"


def inspected(provider: Provider, database: Database) -> Inspection:
    """What the provider says of the database: it may have been claimed or prolonged.

    Where the provider cannot be asked, e.g. without a network, it counts as expired.
    """
    try:
        return provider.inspect(database)
    except ProviderError as error:
        return Inspection(State.EXPIRED, database, {_FAILED: error.message})


def message(database: Database) -> str:
    """That the database has expired, and when."""
    when = f"{database.expires_at:%d %b %Y %H:%M} UTC"
    return f"The {database.provider} database in {database.source} expired on {when}."


def error(database: Database, inspection: Inspection) -> DatabaseExpired:
    """The error where nothing says that the database is to be replaced."""
    failed = inspection.detail.get(_FAILED)
    return DatabaseExpired(
        message(database),
        checked=[failed] if failed else [],
        remedy="`neonup --force` creates a new one in its place; "
        'on_expiry = "replace" in [tool.neonup] does so automatically.',
    )
