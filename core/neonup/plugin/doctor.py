"""What a plugin adds to ``neonup doctor``."""

from __future__ import annotations

from neonup.finding import Finding

__all__ = ["Finding"]
