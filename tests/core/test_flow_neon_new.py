"""The flow with neon.new, the local one: a claim link, a countdown, a claim, an expiry."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.contract.wire import answer, wire
from tests.neon_new_server import NeonNewServer
from tests.project import Project, clean_environ, names

ENSURE = "import neonup; print(neonup.ensure().url)"
PAST = "2026-01-01T00:00:00+00:00"


@pytest.fixture
def claimable(tmp_path: Path, neonup_home: Path, neon_new_server: NeonNewServer) -> Project:
    """A project whose databases come from neon.new."""
    folder = tmp_path / "shop"
    folder.mkdir()
    environ = {**neon_new_server.environment, "NEONUP_ENV_KEYS": "all"}
    return Project(folder, clean_environ(neonup_home, **environ))


def forget_the_time(project: Project) -> None:
    """Let the file's record say that the time is over."""
    text = project.env_file.read_text()
    project.env_file.write_text(re.sub(r"expires=\S+", f"expires={PAST}", text))


def let_expire(project: Project, server: NeonNewServer) -> None:
    """Let the time pass, at the service and in the file."""
    server.let_expire(project.json("status")["id"])
    forget_the_time(project)


def test_a_first_run_tells_the_claim_link_and_the_countdown(claimable: Project) -> None:
    said = claimable.ok()
    link = claimable.variables["POSTGRES_CLAIM_URL"]
    assert "created a neon.new database" in said
    assert 'Claimable Neon succeeds it: provider = "claimable"' in said
    assert f"claim it: {link}" in said
    assert "expires in 2 d 23 h unless claimed" in said
    assert claimable.query("SELECT 1") == "1"
    again = claimable.python(ENSURE)
    assert again.stdout.strip() == claimable.url
    assert f"claim it: {link}" in again.stderr


def test_claim_prints_the_link(claimable: Project) -> None:
    claimable.ok()
    link = claimable.variables["POSTGRES_CLAIM_URL"]
    done = claimable.neonup("claim", "--no-open")
    assert done.stdout.strip() == link
    assert "A claim renews the password" in done.stderr
    shown = claimable.json("claim")
    assert set(shown) == {"claim_url", "effect"} and shown["claim_url"] == link


def test_claim_opens_a_browser(claimable: Project) -> None:
    claimable.ok()
    opened = claimable.folder / "opened"
    browser = claimable.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n')
    browser.chmod(0o755)
    claimable.ok("claim", BROWSER=str(browser))
    assert opened.read_text().strip() == claimable.variables["POSTGRES_CLAIM_URL"]


def test_a_claimed_database_stays_and_says_what_to_do_next(
    claimable: Project, neon_new_server: NeonNewServer
) -> None:
    claimable.ok()
    neon_new_server.claim(claimable.json("status")["id"])
    assert claimable.json("status")["state"] == "claimed"
    assert "has been claimed already" in claimable.fails("claim")
    url = claimable.url
    forget_the_time(claimable)
    first = claimable.python(ENSURE)
    assert first.stdout.strip() == url
    assert "It has been claimed and belongs to its owner's account" in first.stderr
    assert "POSTGRES_CLAIM_URL" not in claimable.env_file.read_text()
    second = claimable.python(ENSURE)
    assert "your own database" in second.stderr


def test_an_expired_database_is_an_error_that_offers_a_new_one(
    claimable: Project, neon_new_server: NeonNewServer
) -> None:
    claimable.ok()
    let_expire(claimable, neon_new_server)
    before = claimable.env_file.read_bytes()
    said = claimable.fails()
    assert "expired on 01 Jan 2026" in said and "neonup --force" in said
    assert claimable.env_file.read_bytes() == before
    assert "has expired and can no longer be claimed" in claimable.fails("claim")


def test_where_settings_say_so_an_expired_database_is_replaced_and_seeded(
    claimable: Project, neon_new_server: NeonNewServer
) -> None:
    (claimable.folder / "seed.sql").write_text("CREATE TABLE seeded AS SELECT 7 AS n;")
    (claimable.folder / "pyproject.toml").write_text(
        '[tool.neonup]\nseed = "seed.sql"\non_expiry = "replace"\n'
    )
    claimable.env_file.write_text("A=1\n")
    claimable.ok()
    let_expire(claimable, neon_new_server)
    old = claimable.url
    done = claimable.python(ENSURE, NEONUP_ENV="development")
    assert done.returncode == 0, done.stderr
    assert claimable.url not in (old, "")
    assert done.stdout.strip() == claimable.url
    assert claimable.env_file.read_text().count("DATABASE_URL=") == 1
    assert claimable.env_file.read_text().startswith("A=1\n")
    assert claimable.query("SELECT n FROM seeded") == "7"


def test_yes_replaces_an_expired_database(
    claimable: Project, neon_new_server: NeonNewServer
) -> None:
    claimable.ok()
    let_expire(claimable, neon_new_server)
    assert "created a neon.new database" in claimable.ok("-y")


def test_expiry_without_a_network_is_told_from_the_record(
    claimable: Project, neon_new_server: NeonNewServer
) -> None:
    claimable.ok()
    let_expire(claimable, neon_new_server)
    nowhere = {"NEONUP_NEON_NEW_URL": "http://127.0.0.1:9/api/v1"}
    assert "expired on 01 Jan 2026" in claimable.fails(**nowhere)


def test_a_start_with_a_database_there_asks_nobody(claimable: Project) -> None:
    claimable.ok()
    nowhere = {"NEONUP_NEON_NEW_URL": "http://127.0.0.1:9/api/v1"}
    assert "found a neon.new database" in claimable.ok(**nowhere)


def test_in_ci_neon_new_is_not_asked(claimable: Project) -> None:
    said = claimable.fails(CI="true")
    assert "CI is set, and in CI only the local provider may create databases" in said
    assert not claimable.env_file.exists()


def test_a_choice_once_made_is_kept_when_the_service_fails(claimable: Project) -> None:
    claimable.ok()
    environ = {"NEONUP_PROVIDER": "", "NEONUP_NEON_NEW_URL": "http://127.0.0.1:9/api/v1"}
    assert "cannot be reached" in claimable.fails("--force", **environ)
    assert "neon.new" in claimable.env_file.read_text()


@pytest.mark.parametrize(
    "url",
    ["postgres://u:p@h/d\nEVIL=1", "postgres://u:p@h/d?x=$(id)", "postgres://u:p@h/d #", "x"],
)
def test_a_hostile_service_writes_nothing(project: Project, url: str) -> None:
    body = {
        "id": "01995f1b-1111-7aaa-8bbb-cccccccccccc",
        "status": "UNCLAIMED",
        "connection_string": url,
        "claim_url": "https://neon.new/claim/01995f1b-1111-7aaa-8bbb-cccccccccccc",
        "expires_at": "2030-01-01T00:00:00.000Z",
    }
    with wire(answer(body)) as service:
        said = project.fails("--provider", "neon.new", NEONUP_NEON_NEW_URL=service.api)
    assert "neon.new" in said
    assert names(project.folder) == []


def test_reset_of_a_cloud_database_makes_another_and_says_what_became_of_the_old(
    claimable: Project,
) -> None:
    claimable.ok()
    old = claimable.url
    said = claimable.ok("reset", "--yes")
    assert claimable.url != old
    assert "The old one still exists" in said


def test_the_form_of_another_tool_goes_on_being_used(claimable: Project) -> None:
    """A file of the official command: found, its countdown and claim link told."""
    claimable.ok()
    lines = claimable.env_file.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("# neonup:")]
    claimable.env_file.write_text("\n".join(kept) + "\n")
    said = claimable.ok()
    assert "found a neon.new database" in said and "claim it: http" in said
    assert claimable.json("status")["state"] == "ready"


def test_the_home_of_a_service_is_not_needed_to_find_its_database(
    claimable: Project, neonup_home: Path
) -> None:
    claimable.ok()
    shutil.rmtree(neonup_home / "pending", ignore_errors=True)
    assert "found a neon.new database" in claimable.ok()


def test_extensions_of_the_setting_are_created_in_a_database_of_any_provider(
    claimable: Project,
) -> None:
    said = claimable.fails(NEONUP_EXTENSIONS="hstore,no_such_thing")
    assert "The extension 'no_such_thing' was not created" in said
    assert "Correct the setting extensions; the next start tries again." in said
    url = claimable.url
    (claimable.folder / "seed.sql").write_text("CREATE TABLE pairs (h hstore);")
    claimable.ok("--seed", "seed.sql", NEONUP_EXTENSIONS="hstore,cube")
    assert claimable.url == url
    names = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension"
    assert claimable.query(names) == "cube hstore plpgsql"
