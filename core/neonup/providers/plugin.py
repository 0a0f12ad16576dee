"""The core's own plugin: the providers that need no other distribution."""

from __future__ import annotations

from neonup.markers import hookimpl
from neonup.provider import Provider


@hookimpl
def neonup_providers() -> list[type[Provider]]:
    from neonup.providers.claimable.provider import ClaimableProvider
    from neonup.providers.neon_new import NeonNewProvider

    return [NeonNewProvider, ClaimableProvider]
