"""What a local Neon has on this machine, for ``neonup list``, ``stop`` and ``prune``.

It reads what a server keeps, so it works while one runs, and when none does.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from neonup import State
from neonup_emulator.neon import purging
from neonup_emulator.neon.claimable import holding
from neonup_emulator.neon.model import Branch, Project
from neonup_local.engine import cluster, postmaster
from neonup_local.service import details, upkeep
from neonup_local.service import home as homes


def rows(home: Path) -> list[dict[str, str | int | None]]:
    """A line of ``neonup list`` for each branch."""
    return [_row(home, *one) for one in _branches(home)]


def stop(home: Path) -> list[str]:
    """Stop every branch's server, and return the ids of those that ran.

    Raises:
        EngineError: one does not stop.
    """
    return [
        branch.id
        for _project, branch in _branches(home)
        if cluster.stop(_folder(home, branch) / "data")
    ]


def deleted(home: Path) -> list[Project]:
    """The projects that were deleted and can still be recovered; none while a server runs."""
    if homes.is_held(home, homes.SERVE):
        return []
    found = {project.id: project for project, _ in _branches(home)}
    return [project for project in found.values() if project.deleted_at is not None]


def purge(home: Path, projects: list[Project]) -> None:
    """Remove deleted projects for good, with their data.

    Raises:
        EngineError: a server of theirs does not stop.
    """
    if not projects:
        return
    from neonup_emulator.neon.data.clusters import Clusters
    from neonup_emulator.neon.state.store import Store

    store = Store(home / "neon" / "neon.db")
    clusters = Clusters(home, home / "neon")
    for project in projects:
        purging.purge(store, clusters, project)
    store.close()


def size(home: Path, project: Project) -> int:
    """Bytes on the disk of a project's branches."""
    return sum(
        details.size(_folder(home, branch))
        for owner, branch in _branches(home)
        if owner.id == project.id
    )


def _row(home: Path, project: Project, branch: Branch) -> dict[str, str | int | None]:
    folder = _folder(home, branch)
    found = postmaster.running(folder / "data")
    name = f"{project.name}/{branch.name}"
    return {
        "id": branch.id,
        "state": str(State.READY if found else State.STOPPED),
        "port": found.port if found else None,
        "kind": "branch",
        "project": f"{name} (deleted)" if project.deleted_at else name,
        "engine": project.engine,
        "size": details.size(folder),
        "connections": upkeep.clients(found.pid) if found else 0,
        "pid": found.pid if found else None,
        "problem": None,
    }


def _folder(home: Path, branch: Branch) -> Path:
    return home / "neon" / "clusters" / branch.cluster_id


def _branches(home: Path) -> list[tuple[Project, Branch]]:
    """All branches with their projects, but prepared ones; nothing is written."""
    path = home / "neon" / "neon.db"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        projects = connection.execute("SELECT body FROM Project").fetchall()
        branches = connection.execute("SELECT body FROM Branch ORDER BY place").fetchall()
    found = [msgspec.json.decode(body, type=Project) for (body,) in projects]
    by_id = {project.id: project for project in found if not holding.is_prepared(project)}
    decoded = [msgspec.json.decode(body, type=Branch) for (body,) in branches]
    return [(by_id[one.project_id], one) for one in decoded if one.project_id in by_id]
