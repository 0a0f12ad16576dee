"""What the local Neon does by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from neonup_emulator.neon import upkeep
from neonup_emulator.neon.data import bases
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.model import Branch
from neonup_emulator.neon.model import Project as ProjectRow
from neonup_emulator.neon.state.store import setting
from tests.emulator.api import Project, ask
from tests.emulator.serving import NeonServer
from tests.emulator.test_history import now, rows, suspend, url_of, write


def soon(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def test_what_expires_is_deleted(project: Project, neon_server_here: NeonServer) -> None:
    branch = project.create_branch("dev", expires_at=soon(hours=1))["branch"]
    snapshot = project.api.ok(
        "POST", f"{project.main}/snapshot", name="v1", expires_at=soon(hours=1)
    )["snapshot"]
    neon = neon_server_here.neon
    upkeep.expire(neon)
    path = f"{project.path}/branches/{branch['id']}"
    assert project.api.ok("GET", path)["branch"]["expires_at"]
    neon.clock.ahead = timedelta(hours=2)
    try:
        upkeep.expire(neon)
    finally:
        neon.clock.ahead = timedelta()
    assert project.api.refused("GET", path)[0] == 404
    listed = project.api.ok("GET", f"{project.path}/snapshots")["snapshots"]
    assert snapshot["id"] not in [one["id"] for one in listed]


def test_a_deleted_project_is_purged_in_the_end(
    project: Project, neon_server_here: NeonServer
) -> None:
    neon = neon_server_here.neon
    branch = neon.store.get(Branch, project.branch)
    assert branch is not None
    project.api.ok("DELETE", project.path)
    row = neon.store.get(ProjectRow, project.id)
    assert row is not None and row.deleted_at is not None
    deleted_at = row.deleted_at - timedelta(days=8)
    neon.store.update(ProjectRow, project.id, setting(deleted_at=deleted_at))
    upkeep.expire(neon)
    assert neon.store.get(ProjectRow, project.id) is None
    assert not neon.clusters.folder(branch.cluster_id).exists()


@pytest.mark.parametrize("sleeping", [False, True])
def test_a_long_history_gets_new_bases_and_forgets_old_ones(
    project: Project,
    neon_server_here: NeonServer,
    sleeping: bool,
) -> None:
    neon = neon_server_here.neon
    branch = neon.store.get(Branch, project.branch)
    row = neon.store.get(ProjectRow, project.id)
    assert branch is not None and row is not None
    write(project.url, 1)
    early = now()
    ask(project.url, "CREATE TABLE big AS SELECT repeat('x', 500) FROM generate_series(1, 50000)")
    ask(project.url, "DROP TABLE big")
    ask(project.url, "CREATE TABLE big AS SELECT repeat('x', 500) FROM generate_series(1, 50000)")
    ask(project.url, "DROP TABLE big")
    write(project.url, 2)
    if sleeping:
        suspend(project)
    bases.renew(neon, largest=1, share=0)
    cluster = neon.store.get(Cluster, branch.cluster_id)
    assert cluster is not None and len(cluster.bases) == 2
    write(project.url, 3)
    late = now()
    write(project.url, 4)
    assert rows(url_of(project.create_branch("early", parent_timestamp=early))) == [1]
    assert rows(url_of(project.create_branch("late", parent_timestamp=late))) == [1, 2, 3]
    before = len(list((neon.clusters.folder(cluster.id) / "archive").iterdir()))
    neon.store.update(ProjectRow, project.id, setting(history_retention_seconds=0))
    bases.renew(neon)
    cluster = neon.store.get(Cluster, branch.cluster_id)
    assert cluster is not None and len(cluster.bases) == 1
    assert len(list((neon.clusters.folder(cluster.id) / "archive").iterdir())) < before
    assert rows(project.url) == [1, 2, 3, 4]


def test_a_branch_of_the_past_has_no_later_base_of_its_parent(
    project: Project, neon_server_here: NeonServer
) -> None:
    write(project.url, 1)
    position, early = ask(project.url, "SELECT pg_current_wal_insert_lsn()"), now()
    ask(project.url, "CREATE TABLE big AS SELECT repeat('x', 500) FROM generate_series(1, 50000)")
    write(project.url, 2)
    bases.renew(neon_server_here.neon, largest=1, share=0)
    write(project.url, 3)
    for name, begin in (("time", {"parent_timestamp": early}), ("log", {"parent_lsn": position})):
        child = project.create_branch(name, **begin)
        write(url_of(child), 7)
        then = now()
        write(url_of(child), 8)
        parent = child["branch"]["id"]
        again = project.create_branch(f"{name} again", parent_id=parent, parent_timestamp=then)
        assert rows(url_of(again)) == [1, 7]


def test_a_history_is_capped(project: Project, neon_server_here: NeonServer) -> None:
    neon = neon_server_here.neon
    branch = neon.store.get(Branch, project.branch)
    assert branch is not None
    write(project.url, 1)
    early = now()
    for number in range(2, 8):
        ask(project.url, "CREATE TABLE big AS SELECT repeat('x', 500) FROM generate_series(1, 1e4)")
        ask(project.url, "DROP TABLE big")
        write(project.url, number)
        bases.renew(neon, largest=4 << 20, share=0, most=12 << 20)
    cluster = neon.store.get(Cluster, branch.cluster_id)
    assert cluster is not None
    late = now()
    write(project.url, 9)
    body = {"branch": {"parent_timestamp": early}}
    status, message = project.api.refused("POST", f"{project.path}/branches", body)
    assert (status, message) == (422, "the timestamp is outside of the history that is kept")
    child = project.create_branch("late", parent_timestamp=late)
    assert rows(url_of(child)) == [*range(1, 8)]
    archive = neon.clusters.folder(cluster.id) / "archive"
    assert sum(path.stat().st_size for path in archive.iterdir()) < 40 << 20
