"""A database whose provider only another environment has, e.g. the one of pipx's neonup."""

from __future__ import annotations

import sys
from datetime import timedelta

from neonup.database import Database
from neonup.errors import ProviderError
from neonup.providers.registry import ProviderNotInstalled
from neonup.start import unanswered


def require_answer(database: Database, missing: ProviderNotInstalled) -> None:
    """Make sure that a database can be used without its provider, which alone could wake it.

    Raises:
        ProviderError: its time is over, or it is on this machine and nothing listens there.
    """
    if database.expires_in is not None and database.expires_in <= timedelta():
        raise missing
    if where := unanswered.nobody_at(database.url):
        raise ProviderError(
            f"The {database.provider} database in {database.source} cannot be started by this "
            f"environment, and {where}.",
            checked=(missing.message, f"this environment is {sys.prefix}"),
            remedy=missing.remedy,
        ) from None
