"""What a plugin's hooks return, beside the names of `neonup` itself."""

from __future__ import annotations

from neonup.contributions import Finding

__all__ = ["Finding"]
