"""What the local Neon cannot do on every platform; see `neonup.platforms`."""

from __future__ import annotations

from neonup import ProviderError
from neonup.plugin.platforms import LINUX, MACOS, Capability

CAPABILITIES = (
    LOCAL_NEON := Capability(
        "The local Neon: `neonup serve`, pytest's fixture `neon_server`",
        (LINUX, MACOS),
        "Run it in WSL, or in a container.",
        cannot="The local Neon cannot be run",
        error=ProviderError,
    ),
    Capability(
        "Each endpoint of the local Neon has an address of its own, with port 5432",
        (LINUX,),
        "It has 127.0.0.1 and a port of its own; a project's host has that port in it.",
    ),
    Capability(
        "`cpu_used_sec` of the local Neon is measured",
        (LINUX,),
        "It is 0.",
    ),
)
"""What the local Neon can do."""
