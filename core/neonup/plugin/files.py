"""Writing a file of somebody else: whole or not at all, with its owner, mode and links."""

from __future__ import annotations

from neonup.env.files import append, create, replace

__all__ = ["append", "create", "replace"]
