"""Writing a file of somebody else's: as a whole or not at all, its owner, mode and links as they were."""

from __future__ import annotations

from neonup.env.files import append, create, replace

__all__ = ["append", "create", "replace"]
