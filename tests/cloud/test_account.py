"""A project's database in one's own account: made once, found again, claimed, adopted, deleted."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from neonup_cloud import NeonClient
from neonup_cloud.api.errors import NotFound
from neonup_local.engine import binaries
from tests.cloud.neon import branches, projects
from tests.cloud.relay import Relay
from tests.contract.wire import answer, wire
from tests.emulator.api import Api
from tests.emulator.serving import NeonServer
from tests.programs import Program
from tests.project import Project


def test_a_project_is_made_found_again_and_destroyed(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    said = shop.ok()
    assert "created a Neon database of your account" in said
    (project,) = projects(neon_server_here, name)
    assert shop.query("SELECT current_user") == "neondb_owner"
    assert f"provider=account id={project.id} " in shop.env_file.read_text()
    assert "found a Neon database of your account" in shop.ok()
    status = shop.json("status")
    assert status["state"] == "ready" and project.name in status["detail"]["project"]
    assert "already" in shop.fails("claim")
    shop.ok("destroy", "--yes")
    assert projects(neon_server_here, name) == []
    assert not shop.env_file.exists()  # as before the first start


def test_a_start_with_a_database_there_asks_nobody(shop: Project, name: str) -> None:
    shop.ok()
    nowhere = {"NEON_API_HOST": "http://127.0.0.1:9/api/v2", "NEON_API_KEY": ""}
    assert "found" in shop.ok(**nowhere)


def test_a_branch_of_a_project_is_made_and_only_it_is_deleted(
    shop: Project, name: str, neon_server_here: NeonServer, owner: NeonClient
) -> None:
    team = owner.projects.create(name=f"{name}-team").project.id
    environ = {"NEON_PROJECT_ID": team}
    shop.ok(**environ)
    assert shop.query("SELECT 1") == "1"
    assert len(branches(neon_server_here, team)) == 2
    assert len(projects(neon_server_here, name)) == 1
    shop.ok("destroy", "--yes", **environ)
    assert branches(neon_server_here, team) == ["main"]


def test_a_linked_folder_gets_branches_of_the_project_that_it_is_linked_to(
    shop: Project, name: str, neon_server_here: NeonServer, owner: NeonClient
) -> None:
    team = owner.projects.create(name=f"{name}-team").project.id
    link = shop.folder / ".neon"
    link.write_text(json.dumps({"projectId": team, "orgId": neon_server_here.org_id}))
    assert f"{team}, as .neon says" in shop.neonup("doctor").stdout
    shop.ok()
    first = shop.url
    assert len(branches(neon_server_here, team)) == 2
    shop.ok("reset", "--yes")
    assert shop.url != first
    assert len(branches(neon_server_here, team)) == 2
    shop.ok("destroy", "--yes")
    assert branches(neon_server_here, team) == ["main"]
    assert len(projects(neon_server_here, name)) == 1


def test_a_project_that_was_linked_after_its_creation_is_replaced_by_a_project(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    shop.ok()
    (own,) = projects(neon_server_here, name)
    (shop.folder / ".neon").write_text(json.dumps({"projectId": own.id}))
    shop.ok("reset", "--yes")
    (after,) = [one for one in projects(neon_server_here, name) if one.deleted_at is None]
    assert after.id != own.id
    assert shop.query("SELECT 1") == "1"


def test_a_project_has_the_major_version_of_the_setting(
    shop: Project, name: str, neon_server_here: NeonServer, tmp_path: Path
) -> None:
    engines = [entry.engine for entry in binaries.candidates(tmp_path)]
    oldest = min(engine.major for engine in engines if engine)
    shop.ok(NEONUP_POSTGRES=str(oldest))
    (project,) = projects(neon_server_here, name)
    assert project.pg_version == oldest


def test_a_branch_gets_the_name_that_was_asked_for_unless_it_is_taken(
    shop: Project, name: str, neon_server_here: NeonServer, owner: NeonClient
) -> None:
    team = owner.projects.create(name=f"{name}-team").project.id
    environ = {"NEON_PROJECT_ID": team, "NEONUP_ACCOUNT_BRANCH": "dev"}
    shop.ok(**environ)
    assert branches(neon_server_here, team) == ["dev", "main"]
    shop.ok("reset", "--yes", **environ)
    names = branches(neon_server_here, team)
    assert len(names) == 2 and names[0].startswith("dev-")
    said = shop.fails("--key", "OTHER_URL", **environ | {"NEONUP_ACCOUNT_BRANCH": "main"})
    assert "has a branch 'main' already" in said


def test_reset_makes_another_project_and_deletes_the_old_one(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    shop.ok()
    (old,) = projects(neon_server_here, name)
    shop.ok("reset", "--yes")
    (new,) = projects(neon_server_here, name)
    assert new.id != old.id
    assert shop.query("SELECT 1") == "1"


def test_a_lost_answer_is_settled_at_once(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay
) -> None:
    relay.lose.append("POST /api/v2/projects")
    shop.ok(NEON_API_HOST=relay.base)
    (project,) = projects(neon_server_here, name)
    assert project.id in shop.env_file.read_text()
    assert relay.asked.count("POST /api/v2/projects") == 1
    assert shop.query("SELECT 1") == "1"


def test_an_answer_that_stays_lost_is_settled_at_the_next_try(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay
) -> None:
    relay.lose += ["POST /api/v2/projects", *["GET /api/v2/projects"] * 5]
    said = shop.fails(NEON_API_HOST=relay.base)
    assert "neonup" in said
    assert not shop.env_file.exists()
    (project,) = projects(neon_server_here, name)
    shop.ok(NEON_API_HOST=relay.base)
    assert [one.id for one in projects(neon_server_here, name)] == [project.id]
    assert project.id in shop.env_file.read_text()


def test_an_answer_of_another_form_does_not_lose_the_project(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay
) -> None:
    relay.garble.append("POST /api/v2/projects")
    shop.ok(NEON_API_HOST=relay.base)
    (project,) = projects(neon_server_here, name)
    assert project.id in shop.env_file.read_text()


def test_a_request_that_is_carried_out_after_it_was_given_up_leaves_nothing_behind(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay
) -> None:
    relay.late.append("POST /api/v2/projects")
    assert "Try again: neonup looks for it first" in shop.fails(NEON_API_HOST=relay.base)
    assert projects(neon_server_here, name) == []
    shop.ok(NEON_API_HOST=relay.base)
    (project,) = projects(neon_server_here, name)
    assert project.id in shop.env_file.read_text()
    assert shop.query("SELECT 1") == "1"


def test_a_branch_that_is_created_late_is_the_one_that_is_used(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay, owner: NeonClient
) -> None:
    team = owner.projects.create(name=f"{name}-team").project.id
    environ = {"NEON_PROJECT_ID": team, "NEON_API_HOST": relay.base}
    relay.late.append("POST /api/v2/projects/*/branches")
    shop.fails(**environ)
    assert len(branches(neon_server_here, team)) == 1
    shop.ok(**environ)
    assert len(branches(neon_server_here, team)) == 2
    assert shop.query("SELECT 1") == "1"


@pytest.mark.parametrize("held", ["POST /api/v2/projects", "GET /api/v2/*/connection_uri"])
def test_killed_on_the_way_it_is_finished_at_the_next_try(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay, held: str
) -> None:
    relay.hold.append(held)
    process = Program(
        [sys.executable, "-m", "neonup"],
        cwd=shop.folder,
        env={**shop.environ, "NEON_API_HOST": relay.base},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert relay.held.wait(60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    (project,) = projects(neon_server_here, name)
    shop.ok(NEON_API_HOST=relay.base)
    (again,) = projects(neon_server_here, name)
    assert again.id == project.id and project.id in shop.env_file.read_text()
    assert shop.query("SELECT 1") == "1"


def test_many_starts_at_once_make_one_project(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    starts = [
        Program(
            [sys.executable, "-m", "neonup"],
            cwd=shop.folder,
            env=shop.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(4)
    ]
    assert [start.wait(90) for start in starts] == [0] * 4
    assert len(projects(neon_server_here, name)) == 1


def test_a_lost_answer_to_the_deletion_is_no_error(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay
) -> None:
    shop.ok()
    relay.lose.append("DELETE /api/v2/projects/*")
    shop.ok("destroy", "--yes", NEON_API_HOST=relay.base)
    assert projects(neon_server_here, name) == []


def let_fail(server: NeonServer, fault: str) -> None:
    Api(server.base, server.key).control("PUT", "/faults", {"faults": [fault]}).raise_for_status()


@pytest.mark.parametrize("status", [423, 429])
def test_a_busy_service_is_asked_again(
    shop: Project, name: str, neon_server_here: NeonServer, status: int
) -> None:
    let_fail(neon_server_here, f"POST /projects={status}x1")
    shop.ok()
    assert len(projects(neon_server_here, name)) == 1


def test_a_service_that_fails_is_an_error_and_the_next_try_makes_one(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    let_fail(neon_server_here, "POST /projects=500x1")
    said = shop.fails()
    assert "status 500" in said
    shop.ok()
    assert len(projects(neon_server_here, name)) == 1


def test_without_a_key_it_says_what_to_do(shop: Project, name: str) -> None:
    said = shop.fails(NEON_API_KEY="", HOME=str(shop.folder))
    assert "NEON_API_KEY" in said and not shop.env_file.exists()


def test_no_secret_is_shown_and_what_is_kept_is_private(
    shop: Project, name: str, neonup_home: Path, neon_server_here: NeonServer
) -> None:
    done = shop.neonup(NEONUP_ACCOUNT_CLAIMABLE="true")
    link = shop.variables["POSTGRES_CLAIM_URL"] or ""
    request_id = parse_qs(urlsplit(link).query)["tr"][0]
    said = done.stdout + done.stderr + shop.ok("status") + shop.ok("doctor")
    password = urlsplit(shop.url).password or "?"
    assert neon_server_here.key not in said and password not in said
    for path in (neonup_home / "account").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    link = link.replace(request_id, "0" * 8)
    with NeonClient(neon_server_here.key, base_url=neon_server_here.base) as neon:
        with pytest.raises(NotFound) as refusal:
            neon.claims.accept(link)
        assert "0" * 8 not in str(refusal.value)


def test_a_key_of_several_organizations_is_told_to_name_one(shop: Project, name: str) -> None:
    said = {"code": "", "message": "org_id is required, you can find it on your settings page"}
    with wire(answer(said, 400)) as service:
        environ = {"NEON_API_HOST": f"{service.url}/api/v2", "NEON_ORG_ID": ""}
        assert "NEON_ORG_ID" in shop.fails(**environ)


def test_in_ci_no_account_is_used(shop: Project, name: str) -> None:
    assert "in CI only the local provider may create" in shop.fails(CI="true")


def test_auto_does_not_take_the_account(shop: Project, name: str) -> None:
    said = shop.neonup("doctor", NEONUP_PROVIDER="").stdout
    assert re.search(r"would take +local", said)


def test_an_option_that_cannot_be_used_is_named(shop: Project, name: str) -> None:
    said = shop.fails(NEONUP_POSTGRES="new")
    assert "NEONUP_POSTGRES" in said
