"""What cannot be done on every platform: how a plugin says it, and refuses it."""

from __future__ import annotations

from neonup.platforms import LINUX, MACOS, NAMES, WINDOWS, Capability

__all__ = ["LINUX", "MACOS", "NAMES", "WINDOWS", "Capability"]
