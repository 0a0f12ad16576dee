"""A local database's versions: what they hold, and what they leave as it is."""

from __future__ import annotations

import os
import re
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from neonup import EngineError, State, Version
from neonup.versions import latest
from neonup_local.engine import account, postmaster
from neonup_local.service import upkeep
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.versions import exchange
from neonup_local.service.versions.local_versions import LocalVersions
from tests.local.sql import ask
from tests.versions.shop import ID, Shop
from tests.waiting import wait_until


def test_back_to_a_version_under_the_same_url(shop: Shop, versions: LocalVersions) -> None:
    made = versions.checkpoint("one")
    assert (made.name, made.automatic) == ("one", False)
    assert made.size is not None
    assert 20_000_000 < made.size < 60_000_000
    assert timedelta(0) <= datetime.now(UTC) - made.created_at < timedelta(minutes=1)
    shop.write(2)
    ask(shop.url, "CREATE TABLE more ()")
    url = shop.url
    done = versions.restore(made)
    assert (done.name, shop.url) == ("one", url)
    assert ask(url, "TABLE state") == 1
    assert ask(url, "SELECT to_regclass('more')") is None
    assert shop.unfinished() == []


def test_an_undo_can_be_undone(shop: Shop, versions: LocalVersions) -> None:
    made = versions.checkpoint("one")
    shop.write(2)
    before = versions.restore(made).before
    assert before is not None
    assert before.automatic
    assert versions.history() == [before, made]
    assert latest(versions.history()) == made
    versions.restore(before)
    assert shop.says() == 2


def test_a_checkpoint_interrupts_nobody(shop: Shop, versions: LocalVersions) -> None:
    """A transaction that is open meanwhile goes on, and what it wrote is not in the version."""
    with psycopg.connect(shop.url) as connection:
        connection.execute("UPDATE state SET n = 2")
        made = versions.checkpoint()
        connection.commit()
    assert shop.says() == 2
    versions.restore(made)
    assert shop.says() == 1


def test_connections_end_when_the_data_is_exchanged(shop: Shop, versions: LocalVersions) -> None:
    made = versions.checkpoint()
    with psycopg.connect(shop.url, autocommit=True) as connection:
        versions.restore(made)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("TABLE state")


def test_a_stopped_database_stays_stopped_for_a_checkpoint(
    shop: Shop, versions: LocalVersions
) -> None:
    shop.databases.stop(shop.record.id)
    made = versions.checkpoint()
    assert shop.databases.state(shop.record) is State.STOPPED
    assert shop.says() == 1
    shop.write(2)
    shop.databases.stop(shop.record.id)
    versions.restore(made)
    assert ask(shop.url, "TABLE state") == 1


def test_a_killed_server_recovers_before_it_is_kept(shop: Shop, versions: LocalVersions) -> None:
    found = postmaster.running(shop.folder / "data")
    assert found is not None
    os.kill(found.pid, signal.SIGKILL)
    wait_until(lambda: not postmaster.alive(found.pid), "the end of the server")
    made = versions.checkpoint()
    shop.write(2)
    versions.restore(made)
    assert shop.says() == 1


def test_a_version_gets_the_password_of_today(shop: Shop, versions: LocalVersions) -> None:
    made = versions.checkpoint()
    shop.databases.set_password(shop.record, "another")
    versions.restore(made)
    assert "another" in shop.url
    assert shop.says() == 1


def test_names(shop: Shop, versions: LocalVersions) -> None:
    shop.databases.stop(shop.record.id)
    versions.checkpoint("one")
    with pytest.raises(EngineError, match="The name 'one' is taken"):
        versions.checkpoint("one")
    for name in ("", " ", "a\nb"):
        with pytest.raises(EngineError, match="cannot be a name"):
            versions.checkpoint(name)
    made = [versions.checkpoint(), versions.checkpoint()]
    assert len({one.name for one in made}) == 2
    assert all(re.match(r"checkpoint-\d{8}-\d{6}", one.name) for one in made)


def test_only_the_newest_automatic_versions_stay(shop: Shop, versions: LocalVersions) -> None:
    """Those that restores keep are counted apart: they must not displace what one goes back to."""
    shop.databases.stop(shop.record.id)
    versions.checkpoint("by a person")
    for number in range(exchange.AUTOMATIC + 1):
        versions.checkpoint(f"auto-{number}", automatic=True)
    kept = [one.name for one in versions.history()]
    assert kept == [*(f"auto-{number}" for number in (5, 4, 3, 2, 1)), "by a person"]
    for _ in range(exchange.AUTOMATIC + 1):
        versions.restore(_named(versions, "auto-1"))
    names = [one.name for one in versions.history()]
    assert sum(name.startswith("before-restore-") for name in names) == exchange.AUTOMATIC
    assert kept == [name for name in names if not name.startswith("before-restore-")]


def _named(versions: LocalVersions, name: str) -> Version:
    [found] = [one for one in versions.history() if one.name == name]
    return found


def test_a_moment_is_refused_with_the_versions_that_there_are(versions: LocalVersions) -> None:
    versions.checkpoint("one")
    with pytest.raises(EngineError, match="not to any moment") as refusal:
        versions.restore_to(datetime.now(UTC))
    assert "one of " in refusal.value.checked[0]


def test_a_deleted_version_is_gone(shop: Shop, versions: LocalVersions) -> None:
    made = versions.checkpoint()
    versions.delete(made)
    assert versions.history() == []
    for use in (versions.delete, versions.restore, versions.preview):
        with pytest.raises(EngineError, match="There is no version"):
            use(made)
    assert shop.says() == 1


def test_previews_and_branches_are_databases_of_their_own(
    shop: Shop, versions: LocalVersions
) -> None:
    made = versions.checkpoint("one")
    shop.write(2)
    preview = versions.preview(made)
    branch = versions.branch("trial")
    assert [ask(one.url, "TABLE state") for one in (preview, branch)] == [1, 2]
    ask(branch.url, "UPDATE state SET n = 3")
    assert shop.says() == 2
    assert versions.branches() == [preview, branch]
    assert (preview.name, branch.name) == ("preview-one", "trial")
    assert branch.url not in repr(branch)
    with pytest.raises(EngineError, match="The name 'trial' is taken"):
        versions.branch("trial")
    versions.delete(made)
    versions.delete_branch(branch)
    assert versions.branches() == [preview]
    with pytest.raises(psycopg.OperationalError):
        ask(branch.url, "SELECT 1")
    with pytest.raises(EngineError, match="There is no branch"):
        versions.delete_branch(branch)
    shop.databases.delete(ID)
    assert shop.databases.ids() == []


def test_a_branch_goes_when_its_time_is_over(shop: Shop, versions: LocalVersions) -> None:
    now = datetime.now(UTC)
    shop.databases.stop(shop.record.id)
    over = versions.branch("over", expires_at=now - timedelta(seconds=1))
    later = versions.branch("later", expires_at=now + timedelta(hours=1))
    assert later.expires_at == now + timedelta(hours=1)
    assert upkeep.remove_expired(shop.databases.home) == [over.id]
    assert versions.branches() == [later]
    assert shop.says() == 1


@pytest.mark.parametrize("damage", ["no catalog", "no control file", "no version", "no record"])
def test_a_damaged_version_leaves_the_database_as_it_is(
    shop: Shop, versions: LocalVersions, damage: str
) -> None:
    made = versions.checkpoint("one")
    place = shop.folder / "versions" / made.id
    if damage == "no catalog":
        shutil.rmtree(place / "data" / "base")
    elif damage == "no control file":
        (place / "data" / "global" / "pg_control").unlink()
    elif damage == "no version":
        (place / "data" / "PG_VERSION").unlink()
    else:
        (place / "version.json").write_text("{")
    shop.write(2)
    if damage == "no record":  # its data is sound
        [found] = versions.history()
        assert found.name == made.id
        versions.restore(found)
        assert shop.says() == 1
        return
    with pytest.raises(EngineError, match="The database is as it was") as refusal:
        versions.restore(made)
    assert refusal.value.checked
    assert ask(shop.url, "TABLE state") == 2
    assert versions.history() == [made]
    assert shop.unfinished() == []


def test_a_version_of_a_postgres_that_is_not_here(shop: Shop, versions: LocalVersions) -> None:
    made = versions.checkpoint()
    (shop.folder / "versions" / made.id / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EngineError, match="cannot be used") as refusal:
        versions.restore(made)
    assert "No usable Postgres 16 was found." in refusal.value.checked
    assert "postgresql-16" in (refusal.value.remedy or "")
    assert ask(shop.url, "TABLE state") == 1


def test_versions_stay_where_the_data_is_removed(shop: Shop, versions: LocalVersions) -> None:
    made = versions.checkpoint("one")
    old = shop.record
    shop.databases.clear(ID)
    with pytest.raises(EngineError, match="has no data on this machine"):
        versions.restore(made)
    shop.databases.create(ID, name="shop", password=old.password, port=old.port)
    assert ask(shop.url, "SELECT to_regclass('state')") is None
    versions.restore(made)
    assert shop.says() == 1


def test_files_of_versions_belong_to_whom_postgres_runs_as(
    shop: Shop, versions: LocalVersions
) -> None:
    made = versions.checkpoint()
    data = shop.folder / "versions" / made.id / "data"
    assert account.of_data(data) == account.of_data(shop.folder / "data")
    owners = {path.lstat().st_uid for path in data.rglob("*")}
    assert owners == {account.for_new_data().uid}
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_database_that_is_not_there(neonup_home: Path) -> None:
    versions = LocalVersions(LocalDatabases(neonup_home), "none", lambda: None)
    assert versions.history() == []
    assert versions.branches() == []
    with pytest.raises(EngineError, match="has no data on this machine"):
        versions.checkpoint()
