"""Changes of one project wait for nobody: a second one is refused while the first is under way."""

from __future__ import annotations

import threading

import psutil

from neonup_emulator.neon.model import Endpoint
from neonup_emulator.neon.model import Project as ProjectRow
from tests.emulator.api import Project
from tests.emulator.serving import NeonServer
from tests.waiting import wait_until


def listening() -> set[tuple[str, int]]:
    """The addresses on which this process's children take connections."""
    children = psutil.Process().children(recursive=True)
    fronts = [
        one for one in children if "neonup_emulator.neon.compute.front.tcp_proxy" in one.cmdline()
    ]
    return {
        (found.laddr.ip, found.laddr.port)
        for front in fronts
        for found in front.net_connections("inet")
        if found.status == psutil.CONN_LISTEN
    }


def test_a_second_change_is_locked_out_and_leaves_nothing(
    project: Project, neon_server_here: NeonServer
) -> None:
    statuses: list[int] = []

    def create(name: str) -> None:
        body = {"branch": {"name": name}, "endpoints": [{"type": "read_write"}]}
        statuses.append(project.api.ask("POST", f"{project.path}/branches", body)[0])

    threads = [threading.Thread(target=create, args=[f"b{number}"]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {201, 423}
    branches = project.api.ok("GET", f"{project.path}/branches")["branches"]
    assert len(branches) == 1 + statuses.count(201)
    store = neon_server_here.neon.store
    deleted = {one.id for one in store.all(ProjectRow) if one.deleted_at}
    known = {
        (one.address, one.port) for one in store.all(Endpoint) if one.project_id not in deleted
    }
    wait_until(lambda: listening() == known, lambda: f"{listening() ^ known}")
