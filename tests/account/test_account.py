"""A project's database in one's own account: made once, found again, claimed, adopted, deleted."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from neonup.errors import SettingsError
from neonup.neon import AsyncNeonClient, NeonClient
from neonup.neon.claims import ClaimState
from neonup.neon.errors import Invalid, NotFound
from tests.account.neon import branches, projects
from tests.account.relay import Relay, relaying
from tests.neon.agent import Person
from tests.neon.serving import NeonServer
from tests.project import Project


@pytest.fixture
def name(shop: Project) -> str:
    """The folder has a name of the test's own, and so have the projects."""
    found = f"shop-{uuid.uuid4().hex[:10]}"
    shop.folder = shop.folder.rename(shop.folder.with_name(found))
    return found


@pytest.fixture
def relay(neon_server_here: NeonServer) -> Iterator[Relay]:
    with relaying(neon_server_here.base) as found:
        yield found


@pytest.fixture
def owner(neon_server_here: NeonServer) -> Iterator[NeonClient]:
    with NeonClient(neon_server_here.key, base_url=neon_server_here.base) as found:
        yield found


def somebody(server: NeonServer) -> Person:
    root = server.base.removesuffix("/api/v2")
    return Person(root, f"p{time.time_ns()}@example.com")


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
    assert not shop.env_file.read_text()


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


@pytest.mark.parametrize("held", ["POST /api/v2/projects", "GET /api/v2/*/connection_uri"])
def test_killed_on_the_way_it_is_finished_at_the_next_try(
    shop: Project, name: str, neon_server_here: NeonServer, relay: Relay, held: str
) -> None:
    relay.hold.append(held)
    process = subprocess.Popen(
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
        subprocess.Popen(
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


@pytest.mark.parametrize("status", [423, 429])
def test_a_busy_service_is_asked_again(
    shop: Project, name: str, neon_server_here: NeonServer, status: int
) -> None:
    root = neon_server_here.base.removesuffix("/api/v2")
    fault = f"POST /projects={status}x1"
    httpx.put(f"{root}/neonup/faults", json={"faults": [fault]}).raise_for_status()
    shop.ok()
    assert len(projects(neon_server_here, name)) == 1


def test_a_service_that_fails_is_an_error_and_the_next_try_makes_one(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    root = neon_server_here.base.removesuffix("/api/v2")
    httpx.put(f"{root}/neonup/faults", json={"faults": ["POST /projects=500x1"]})
    said = shop.fails()
    assert "status 500" in said
    shop.ok()
    assert len(projects(neon_server_here, name)) == 1


def test_without_a_key_it_says_what_to_do(shop: Project, name: str) -> None:
    said = shop.fails(NEON_API_KEY="")
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


def test_the_claimable_flow_of_platforms(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    """Offered with a link, taken by API, adopted by the new owner, and not theirs to destroy."""
    environ = {
        "NEONUP_ACCOUNT_CLAIMABLE": "true",
        "NEONUP_ACCOUNT_CLAIM_SECONDS": "3600",
        "NEONUP_ACCOUNT_CLAIM_REDIRECT": "https://platform.example/done?x=1",
    }
    said = shop.ok(**environ)
    link = shop.variables["POSTGRES_CLAIM_URL"]
    assert link and f"claim it: {link}" in said
    assert parse_qs(urlsplit(link).query)["ru"] == ["https://platform.example/done?x=1"]
    assert shop.ok("claim", "--no-open", **environ).strip() == link
    assert shop.json("status", **environ)["detail"]["claim"].startswith("pending")
    person = somebody(neon_server_here)
    page = person.pages.get(link.replace("localhost", "127.0.0.1"))  # as it is signed in
    assert page.status_code == 200 and name in page.text
    with NeonClient(person.account["api_key"], base_url=neon_server_here.base) as theirs:
        project_id = theirs.claims.accept(link)
        assert theirs.projects.get(project_id).id == project_id
    assert shop.json("status", **environ)["state"] == "claimed"
    assert "has been claimed already" in shop.fails("claim", **environ)
    assert shop.query("SELECT 1") == "1"  # the URL stays valid
    key = {"NEON_API_KEY": person.account["api_key"], "NEON_ORG_ID": ""}
    shop.ok("adopt", **key)
    assert shop.query("SELECT 1") == "1"
    assert "POSTGRES_CLAIM_URL" not in shop.env_file.read_text()
    assert "not created by neonup in this account" in shop.fails("destroy", "--yes", **key)
    person.pages.close()


def test_an_offer_that_has_expired_gets_a_new_link(
    shop: Project, name: str, neon_server_here: NeonServer
) -> None:
    environ = {"NEONUP_ACCOUNT_CLAIMABLE": "true", "NEONUP_ACCOUNT_CLAIM_SECONDS": "1"}
    shop.ok(**environ)
    old = shop.variables["POSTGRES_CLAIM_URL"]
    time.sleep(1.1)
    assert shop.json("status", **environ)["detail"]["claim"].startswith("expired")
    environ["NEONUP_ACCOUNT_CLAIM_SECONDS"] = "3600"
    new = shop.ok("claim", "--no-open", **environ).strip()
    assert new != old and shop.variables["POSTGRES_CLAIM_URL"] == new
    assert shop.json("status", **environ)["detail"]["claim"].startswith("pending")


def test_the_states_of_a_claim(owner: NeonClient, neon_server_here: NeonServer) -> None:
    project = owner.projects.create(name="given")
    owner.operations.wait(project.operations)
    claim = owner.claims.create(project.project.id, ttl_seconds=60)
    assert claim.link not in repr(claim) and claim.request_id not in repr(claim)
    assert owner.claims.state(claim) is ClaimState.PENDING
    person = somebody(neon_server_here)
    with NeonClient(person.account["api_key"], base_url=neon_server_here.base) as theirs:
        theirs.claims.accept(claim.link, org_id=person.account["org_id"])
        with pytest.raises(Invalid, match="used already"):
            theirs.claims.accept(claim.link)
        assert owner.claims.state(claim) is ClaimState.CLAIMED
        back = theirs.claims.create(project.project.id, ttl_seconds=1)
        time.sleep(1.1)
        assert theirs.claims.state(back) is ClaimState.EXPIRED
        with pytest.raises(Invalid, match="has expired"):
            owner.claims.accept(back.link)
        theirs.projects.delete(project.project.id)
        assert theirs.claims.state(back) is ClaimState.DELETED
    person.pages.close()


def test_claims_are_awaited_as_well(owner: NeonClient, neon_server_here: NeonServer) -> None:
    project = owner.projects.create(name="given")
    owner.operations.wait(project.operations)

    async def offer() -> ClaimState:
        key, base = neon_server_here.key, neon_server_here.base
        async with AsyncNeonClient(key, base_url=base) as neon:
            claim = await neon.claims.create(project.project.id, redirect="https://a.example/")
            return await neon.claims.state(claim)

    assert asyncio.run(offer()) is ClaimState.PENDING
    with pytest.raises(SettingsError):
        owner.claims.create(project.project.id, redirect="javascript:alert(1)")
    with pytest.raises(SettingsError):
        owner.claims.accept("https://console.neon.tech/app/projects")


def test_in_ci_no_account_is_used(shop: Project, name: str) -> None:
    assert "in CI only the local provider may create" in shop.fails(CI="true")


def test_auto_does_not_take_the_account(shop: Project, name: str) -> None:
    said = shop.neonup("doctor", NEONUP_PROVIDER="").stdout
    assert "would take  local" in said


def test_an_option_that_cannot_be_used_is_named(shop: Project, name: str) -> None:
    said = shop.fails(NEONUP_ACCOUNT_PG_VERSION="new")
    assert "NEONUP_ACCOUNT_PG_VERSION" in said
