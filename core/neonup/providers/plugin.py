"""The core's own plugin: the provider that needs no other distribution."""

from __future__ import annotations

from neonup.markers import hookimpl
from neonup.provider import Provider


@hookimpl
def neonup_providers() -> list[type[Provider]]:
    """neon.new."""
    from neonup.providers.neon_new import NeonNewProvider

    return [NeonNewProvider]
