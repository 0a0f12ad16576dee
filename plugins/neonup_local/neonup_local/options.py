"""What can be set of the provider ``local``."""

from __future__ import annotations

from dataclasses import dataclass

import neonup


@dataclass(frozen=True)
class LocalOptions(neonup.Options):
    """``[tool.neonup.local]``.

    Args:
        engine: which Postgres a new database gets, by the name that ``neonup doctor`` shows.
    """

    table = "local"
    engine: str | None = neonup.option()
