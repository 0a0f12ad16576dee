"""How a plugin declares its options; a provider's are `neonup.Provider.options`."""

from __future__ import annotations

from neonup.options import Options, closest, option, text

__all__ = ["Options", "closest", "option", "text"]
