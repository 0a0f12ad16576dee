"""The core's own plugin: the providers that need no other distribution."""

from __future__ import annotations

from collections.abc import Mapping

from neonup.database import Database
from neonup.markers import hookimpl
from neonup.provider import Provider


@hookimpl
def neonup_providers() -> list[type[Provider]]:
    from neonup.providers.claimable.provider import ClaimableProvider
    from neonup.providers.neon_new import NeonNewProvider

    return [NeonNewProvider, ClaimableProvider]


@hookimpl
def neonup_env(database: Database) -> Mapping[str, str]:
    """What leads to an unclaimed project's other services: the Data API, Neon Auth."""
    if database.provider != "claimable":
        return {}
    from neonup.providers.claimable.identity import load
    from neonup.providers.state_store import StateStore
    from neonup.settings import home

    identity = load(StateStore(home(), database.provider), database.id or "")
    return {} if identity is None else identity.variables
