"""What to do about an error of Postgres's that comes from what the server lacks."""

from __future__ import annotations

from neonup.database import USER
from neonup.postgres.reports import missing_feature
from neonup.providers.registry import ProviderNotInstalled, provider_class
from neonup.settings import Settings


def explain_failure(message: str, settings: Settings, provider: str) -> str | None:
    """What to do about an error of Postgres's that comes from what the server lacks.

    Args:
        message: the error, in English.
        settings: the project's.
        provider: the name of the database's provider.

    Returns:
        None if the error says no such thing, or nothing is known about it.

    Raises:
        ProviderError: there is no provider of that name.
    """
    feature = missing_feature(message)
    return explain(feature, settings, provider) if feature else None


def explain(feature: str, settings: Settings, provider: str) -> str | None:
    """What to do where the server lacks a feature; None: nothing is known."""
    if provider == USER:
        return None
    try:
        chosen = provider_class(provider)
    except ProviderNotInstalled:  # another environment has it, see other_environment
        return None
    return chosen(settings).explain_missing(feature)
