"""What a local Neon has on this machine, for ``neonup list``, ``stop`` and ``prune``.

It reads what a server keeps, so it works while one runs, and when none does. Where no server ever
ran it imports nothing of the local Neon.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neonup import State
from neonup_local.engine import cluster, postmaster, sizes
from neonup_local.servers import Leftover, Servers
from neonup_local.service import home as homes
from neonup_local.service import upkeep

if TYPE_CHECKING:
    from neonup_emulator.neon.model import Branch, Project


class NeonServers(Servers):
    """The servers of the local Neon's branches."""

    def rows(self) -> list[dict[str, Any]]:
        """A row for each branch."""
        return [_row(self.home, *pair) for pair in _branches(self.home)]

    def stop(self) -> list[str]:
        """Stop every branch's server.

        Raises:
            EngineError: one does not stop.
        """
        return [
            branch.id
            for _project, branch in _branches(self.home)
            if cluster.stop(_folder(self.home, branch) / "data")
        ]

    def leftovers(self) -> list[Leftover]:
        """The projects that were deleted and can still be recovered; none while a server runs."""
        if homes.is_held(self.home, homes.SERVE):
            return []
        projects = {project.id: project for project, _ in _branches(self.home)}
        return [
            Leftover(project.id, "it was deleted", self._size(project))
            for project in projects.values()
            if project.deleted_at is not None
        ]

    def purge(self, leftovers: Sequence[Leftover]) -> list[Leftover]:
        """Remove deleted projects for good, with their data.

        Raises:
            EngineError: a server of theirs does not stop.
        """
        from neonup_emulator.neon import purging
        from neonup_emulator.neon.data.clusters import Clusters
        from neonup_emulator.neon.model import Project
        from neonup_emulator.neon.state.store import Store

        store = Store(self.home / "neon" / "neon.db")
        clusters = Clusters(self.home, self.home / "neon")
        for leftover in leftovers:
            project = store.get(Project, leftover.id)
            if project is not None and project.deleted_at is not None:
                purging.purge(store, clusters, project)
        store.close()
        return []

    def _size(self, project: Project) -> int:
        return sum(
            sizes.size(_folder(self.home, branch))
            for owner, branch in _branches(self.home)
            if owner.id == project.id
        )


def _row(home: Path, project: Project, branch: Branch) -> dict[str, str | int | None]:
    folder = _folder(home, branch)
    server = postmaster.running(folder / "data")
    name = f"{project.name}/{branch.name}"
    return {
        "id": branch.id,
        "state": str(State.READY if server else State.STOPPED),
        "port": server.port if server else None,
        "kind": "branch",
        "project": f"{name} (deleted)" if project.deleted_at else name,
        "engine": project.engine,
        "size": sizes.size(folder),
        "connections": upkeep.clients(server.pid) if server else 0,
        "pid": server.pid if server else None,
        "problem": None,
    }


def _folder(home: Path, branch: Branch) -> Path:
    return home / "neon" / "clusters" / branch.cluster_id


def _branches(home: Path) -> list[tuple[Project, Branch]]:
    """All branches with their projects, but prepared ones; nothing is written."""
    path = home / "neon" / "neon.db"
    if not path.is_file():
        return []
    import msgspec

    from neonup_emulator.neon.claimable import holding
    from neonup_emulator.neon.model import Branch, Project

    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        projects = connection.execute("SELECT body FROM Project").fetchall()
        branches = connection.execute("SELECT body FROM Branch ORDER BY place").fetchall()
    owners = [msgspec.json.decode(body, type=Project) for (body,) in projects]
    by_id = {project.id: project for project in owners if not holding.is_prepared(project)}
    decoded = [msgspec.json.decode(body, type=Branch) for (body,) in branches]
    return [(by_id[branch.project_id], branch) for branch in decoded if branch.project_id in by_id]
