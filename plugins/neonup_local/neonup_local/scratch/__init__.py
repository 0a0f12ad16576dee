"""Servers for tests: alive for speed alone, and gone with the run that made them.

What stands here is what `neonup_pytest` uses.
"""

from __future__ import annotations

from neonup_local.scratch.place import room
from neonup_local.scratch.runs import Run, sweep
from neonup_local.scratch.served import serving
from neonup_local.scratch.server import ScratchServer, choose_engine

__all__ = ["Run", "ScratchServer", "choose_engine", "room", "serving", "sweep"]
