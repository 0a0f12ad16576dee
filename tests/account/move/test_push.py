"""`neonup push`: the local database into a Neon, with everything that is in it."""

from __future__ import annotations

from tests.account.move.databases import EVERYTHING, ask, facts
from tests.project import Project


def test_a_push_moves_everything_and_switches(project: Project, cloud: str) -> None:
    project.ok("--provider", "local")
    local = project.url
    ask(local, EVERYTHING)
    said = project.ok("push", "--to", cloud)
    assert "pushed 8 tables, 599 rows to " in said
    assert project.url == cloud
    assert facts(cloud) == facts(local)
