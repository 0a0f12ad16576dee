"""Servers for tests: alive for speed alone, and gone with the run that made them.

What stands here is what `neonup_pytest` and `neonup_studio` use; `neonup_local.throwaway` has the
same.
"""

from __future__ import annotations

from neonup_local.creation import engine_needs
from neonup_local.engine.choosing import EngineNeeds
from neonup_local.test_server.kept import KeptDatabase, KeptDatabases, KeptTest
from neonup_local.test_server.location import room
from neonup_local.test_server.runs import Run, sweep
from neonup_local.test_server.server import (
    EphemeralServer,
    choose_engine,
    for_project,
    reserve_port,
)

__all__ = [
    "EngineNeeds",
    "EphemeralServer",
    "KeptDatabase",
    "KeptDatabases",
    "KeptTest",
    "Run",
    "choose_engine",
    "engine_needs",
    "for_project",
    "reserve_port",
    "room",
    "sweep",
]
