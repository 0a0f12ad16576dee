"""What can be set of the provider ``local``."""

from __future__ import annotations

from dataclasses import dataclass

import neonup


@dataclass(frozen=True)
class LocalOptions(neonup.Options):
    """``[tool.neonup.local]``.

    Args:
        engine: which Postgres a new database gets, by the name that ``neonup doctor`` shows.
        superuser: whether ``neondb_owner`` is a superuser, as nobody is at Neon: for suites of
            tests that create tablespaces or change what belongs to others.
    """

    table = "local"
    engine: str | None = neonup.option()
    superuser: bool = neonup.option(bool, False)
