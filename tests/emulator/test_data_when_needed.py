"""A project's data is copied when it is needed, where no prepared copy was there at first."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from neonup_emulator.neon.compute import refusals
from neonup_emulator.neon.data import bases
from neonup_emulator.neon.errors import QuotaExceeded
from neonup_emulator.neon.model import Branch, Endpoint
from tests.emulator.api import Api, Project, ask
from tests.emulator.serving import NeonServer


def folder_of(server: NeonServer, branch_id: str) -> Path:
    branch = server.neon.store.get(Branch, branch_id)
    assert branch is not None
    return server.neon.clusters.folder(branch.cluster_id)


@pytest.fixture
def promised(neon_server_here: NeonServer, api: Api) -> Project:
    """A project without data."""
    spares = neon_server_here.neon.clusters.folder("x").parents[1] / "spares"
    for _ in range(20):  # the server prepares copies while it has nothing else to do
        for spare in spares.glob("*/*"):
            shutil.rmtree(spare, ignore_errors=True)
        project = api.create_project()
        if not (folder_of(neon_server_here, project.branch) / "data").exists():
            break
    names = {path.name for path in folder_of(neon_server_here, project.branch).iterdir()}
    assert names == {"archive", "promised"}
    return project


def test_a_connection_brings_it(promised: Project, neon_server_here: NeonServer) -> None:
    assert ask(promised.url, "SELECT current_user") == "neondb_owner"
    folder = folder_of(neon_server_here, promised.branch)
    assert (folder / "data").is_dir()
    assert not (folder / "promised").exists()


def test_branches_and_snapshots_bring_it(promised: Project, api: Api) -> None:
    snapshot = api.ok("POST", f"{promised.path}/branches/{promised.branch}/snapshot")["snapshot"]
    made = promised.create_branch("dev")
    assert ask(made["connection_uris"][0]["connection_uri"], "SELECT 1") == 1
    assert ask(promised.url, "SELECT 1") == 1
    restored = api.ok("POST", f"{promised.path}/snapshots/{snapshot['id']}/restore", {"name": "r"})
    assert restored["branch"]["name"] == "r"


def test_a_quota_is_refused_without_it(promised: Project, neon_server_here: NeonServer) -> None:
    neon = neon_server_here.neon
    endpoint = neon.store.get(Endpoint, promised.endpoint)
    assert endpoint is not None
    used_up = QuotaExceeded("data_transfer_bytes")
    told = refusals.of(neon.store, neon.clusters, neon.authority, endpoint, used_up)
    assert told.message == used_up.message
    assert bool(told.certificate) is promised.url.endswith("require")


def test_a_copy_that_was_killed_is_begun_again(
    promised: Project, neon_server_here: NeonServer
) -> None:
    half = folder_of(neon_server_here, promised.branch) / ".making"
    half.mkdir()
    (half / "PG_VERSION").write_text("")
    assert ask(promised.url, "SELECT 1") == 1
    assert not half.exists()


def test_data_that_is_lost_is_not_made_anew(
    promised: Project, neon_server_here: NeonServer, api: Api
) -> None:
    assert ask(promised.url, "SELECT 1") == 1
    api.ok("POST", f"{promised.path}/endpoints/{promised.endpoint}/suspend")
    shutil.rmtree(folder_of(neon_server_here, promised.branch) / "data")
    with pytest.raises(psycopg.OperationalError):
        ask(promised.url, "SELECT 1")


def test_the_history_of_a_project_without_data_is_left_alone(
    promised: Project, neon_server_here: NeonServer
) -> None:
    bases.renew(neon_server_here.neon, largest=-1, share=0)
    assert ask(promised.url, "SELECT 1") == 1
