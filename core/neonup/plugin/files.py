"""Writing a file of somebody else: whole or not at all, with its owner, mode and links."""

from __future__ import annotations

from neonup.env.files import create, replace
from neonup.folders import make_home, make_private

__all__ = ["create", "make_home", "make_private", "replace"]
