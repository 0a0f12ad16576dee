"""Databases of neon.new, the local one: claim link, countdown, claimed, expired, unreachable."""

from __future__ import annotations

import re

import pytest

from tests.django.site import Site
from tests.neon_new_server import NeonNewServer
from tests.project import names

PAST = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def claimable(site: Site, neon_new_server: NeonNewServer) -> Site:
    """A project whose databases come from neon.new."""
    site.environ |= {**neon_new_server.environment, "NEONUP_ENV_KEYS": "all"}
    return site


def let_expire(site: Site, server: NeonNewServer) -> None:
    server.let_expire(site.json("status")["id"])
    site.env_file.write_text(re.sub(r"expires=\S+", f"expires={PAST}", site.env_file.read_text()))


def test_the_banner_has_the_claim_link_and_the_countdown(claimable: Site) -> None:
    for verb in ("created", "found"):
        with claimable.runserver() as server:
            [said] = server.banners
            assert f"neonup  {verb} a neon.new database" in said
            assert re.search(r"expires in [23] d \d+ h unless claimed", said)
            assert f"claim it: {claimable.variables['POSTGRES_CLAIM_URL']}" in said
            assert server.json()["name"]


def test_a_claimed_database_goes_on_with_its_new_url(
    claimable: Site, neon_new_server: NeonNewServer
) -> None:
    claimable.managed("migrate")
    old = claimable.url
    new = neon_new_server.claim(claimable.json("status")["id"])
    claimable.env_file.write_text(claimable.env_file.read_text().replace(old, new))
    with claimable.runserver() as server:
        assert server.json("add") == {"notes": 1}
    assert '"state": "claimed"' in claimable.managed("neonup", "status", "--json")


def test_an_expired_database_is_said_by_the_checks_and_the_command(
    claimable: Site, neon_new_server: NeonNewServer
) -> None:
    claimable.managed("migrate")
    assert "W001" not in claimable.managed("check")
    let_expire(claimable, neon_new_server)
    said = claimable.managed("check")
    assert "(neonup.W001) The neon.new database has expired." in said
    done = claimable.manage("migrate")
    assert done.returncode == 1
    assert "expired on 01 Jan 2026" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_with_an_expired_database_goes_on_once_there_is_another(
    claimable: Site, neon_new_server: NeonNewServer
) -> None:
    claimable.managed("migrate")
    let_expire(claimable, neon_new_server)
    with claimable.runserver() as server:
        response = server.get()
        assert response.status_code == 500
        assert "expired on 01 Jan 2026" in response.text
        assert server.said.count("neonup  The neon.new database") == 1
        claimable.ok("--force")
        assert server.json()["name"]


def test_soon_expired_is_a_warning_too(claimable: Site) -> None:
    from datetime import UTC, datetime, timedelta

    claimable.managed("migrate")
    soon = (datetime.now(UTC) + timedelta(hours=5)).isoformat()
    text = re.sub(r"expires=\S+", f"expires={soon}", claimable.env_file.read_text())
    claimable.env_file.write_text(text)
    assert "(neonup.W001) The neon.new database expires in 5.0 hours" in claimable.managed("check")


def test_without_a_network_the_server_says_what_was_tried(site: Site) -> None:
    nowhere = {"NEONUP_PROVIDER": "neon.new", "NEONUP_NEON_NEW_URL": "http://127.0.0.1:9/api/v1"}
    with site.runserver(**nowhere) as server:
        response = server.get()
        assert response.status_code == 500
        assert "http://127.0.0.1:9" in response.text
    assert ".env" not in names(site.folder)
    done = site.manage("migrate", **nowhere)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "http://127.0.0.1:9" in done.stderr


def test_tests_make_no_database_in_a_cloud_one(claimable: Site) -> None:
    claimable.managed("migrate")
    done = claimable.manage("test")
    assert done.returncode == 1
    assert "not on this machine" in done.stderr
    assert "Traceback" not in done.stderr
    assert "OK" in claimable.managed("test", NEONUP_ENV_FILE=".env.test", NEONUP_PROVIDER="auto")


def test_tests_create_only_a_local_one(claimable: Site) -> None:
    done = claimable.manage("test")
    assert done.returncode == 1
    assert "tests use only the local provider" in done.stderr
    assert ".env" not in names(claimable.folder)
