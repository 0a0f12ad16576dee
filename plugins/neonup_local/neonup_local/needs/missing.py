"""What an engine lacks of what a project needs, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neonup_local.engine import missing_extensions
from neonup_local.engine.binaries import Engine
from neonup_local.needs.search import Need


def missing_in(engine: Engine, needs: Sequence[Need]) -> list[Need]:
    """Those of a project's needs that an engine does not meet."""
    return [need for need in needs if not engine.has(need.feature)]


def remedy(home: Path, engine: Engine, needs: Sequence[Need], missing: Sequence[Need]) -> str:
    """What to do about needs that the engine of a database does not meet.

    Args:
        home: neonup's own folder.
        engine: the database's.
        needs: all that the project needs.
        missing: those of them that are to be met, beside the ones that the engine meets.
    """
    met = [need.feature for need in needs if engine.has(need.feature)]
    for wanted in (needs, missing):
        features = {*met, *(need.feature for need in wanted)}
        other = missing_extensions.first_having(home, features)
        if other is not None:
            return f"`neonup engine use {other.name}` moves the database to an engine that has it"
    install = missing_extensions.how_to_install(home, {*met, *(need.feature for need in missing)})
    return f"{install}; `neonup engine use NAME` then moves the database to that engine"
