"""What neonup calls: the hooks of this plugin. Loading it must be cheap."""

from __future__ import annotations

from collections.abc import Mapping

import neonup
from neonup_shared.provider import SharedProvider


@neonup.hookimpl
def neonup_providers() -> list[type[neonup.Provider]]:
    """One provider, named ``shared``."""
    return [SharedProvider]


@neonup.hookimpl
def neonup_env(database: neonup.Database) -> Mapping[str, str]:
    """Tell the team's own tools which database is this project's."""
    if database.provider != SharedProvider.name or database.id is None:
        return {}
    return {"SHARED_DATABASE": database.id}
