"""Writing a file: whole or not at all; of somebody else with its owner, mode and links."""

from __future__ import annotations

from neonup.env.files import create, replace, write_private
from neonup.folders import make_home, make_private

__all__ = ["create", "make_home", "make_private", "replace", "write_private"]
