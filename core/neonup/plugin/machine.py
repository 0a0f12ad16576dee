"""Servers of a plugin on this machine, which ``neonup list``, ``stop`` and ``prune`` know."""

from __future__ import annotations

from neonup.machine import Leftover, Servers

__all__ = ["Leftover", "Servers"]
