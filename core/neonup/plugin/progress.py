"""How far long work is, for whoever watches a command."""

from __future__ import annotations

from neonup.progress import HowFar, work

__all__ = ["HowFar", "work"]
