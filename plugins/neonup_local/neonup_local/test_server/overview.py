"""What test runs have on this machine, for ``neonup list`` and ``stop``."""

from __future__ import annotations

from pathlib import Path

from neonup import State
from neonup_local.engine import postmaster, sizes
from neonup_local.service import upkeep
from neonup_local.test_server import runs


def rows(home: Path) -> list[dict[str, str | int | None]]:
    """A line of ``neonup list`` for each run that has a server."""
    return [
        _row(control, folder)
        for control in runs.folders(home)
        if (folder := runs.data_folder(control)) is not None
    ]


def _row(control: Path, folder: Path) -> dict[str, str | int | None]:
    server = postmaster.running(folder / "data")
    alive = runs.is_alive(control)
    return {
        "id": f"tests-{control.name}",
        "state": str(State.READY if server else State.STOPPED),
        "port": server.port if server else None,
        "kind": "tests",
        "project": "a test run" if alive else "kept for failed tests",
        "engine": None,
        "size": sizes.size(folder),
        "connections": upkeep.clients(server.pid) if server else 0,
        "pid": server.pid if server else None,
        "problem": None,
    }


def end_kept(home: Path) -> list[str]:
    """End and remove the servers that runs which are over have kept; returns their ids."""
    return [f"tests-{id_}" for id_ in runs.sweep(home, most=0)]
