"""Projects that are offered to somebody else: links, their states, and taking them."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from neonup.errors import SettingsError
from neonup_cloud import AsyncNeonClient, NeonClient
from neonup_cloud.api.claims import ClaimState
from neonup_cloud.api.errors import Forbidden, Invalid, NotFound
from tests.contract.wire import answer, wire
from tests.emulator.agent import Person
from tests.emulator.serving import NeonServer
from tests.project import Project


def somebody(server: NeonServer) -> Person:
    root = server.base.removesuffix("/api/v2")
    return Person(root, f"p{time.time_ns()}@example.com")


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


def test_a_claims_secret_is_in_no_log(owner: NeonClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(NotFound):
        owner.claims.accept("https://console.neon.tech/app/claim?p=none-such-1&tr=very-secret-id")
    said = [one.getMessage() for one in caplog.records if not one.name.startswith("uvicorn")]
    assert any("/transfer_requests/..." in line for line in said)
    assert not any("very-secret-id" in line for line in said)


def test_an_account_that_may_not_give_projects_away_is_told_whom_to_ask() -> None:
    project = {"project": {"id": "quiet-sea-1", "name": "x"}}
    refusal = {"code": "", "message": "project transfer requests are not enabled"}
    with (
        wire(answer(project), answer(refusal, 403)) as service,
        NeonClient("key", base_url=f"{service.url}/api/v2") as neon,
        pytest.raises(Forbidden) as refused,
    ):
        neon.claims.create("quiet-sea-1")
    assert "Neon's support" in (refused.value.remedy or "")
