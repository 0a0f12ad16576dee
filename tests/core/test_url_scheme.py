"""The setting ``url_scheme``: what the URL begins with; all of ours reads it all the same."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from neonup import SettingsError, drivers, urls
from neonup.settings import resolve
from tests.project import Project

SCHEMES = ["postgres", "postgresql+asyncpg", "postgresql+psycopg", "postgres+pg8000"]
NEON = (
    "postgresql://app:a%40b@ep-a-pooler.neon.example/shop?sslmode=require&channel_binding=require"
)
MORE = f"{NEON}&options=endpoint%3Dep-a&target_session_attrs=read-write"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("url", [NEON, MORE])
def test_a_url_goes_there_and_back(scheme: str, url: str) -> None:
    there = drivers.in_scheme(url, scheme)
    assert there.startswith(f"{scheme}://")
    assert drivers.in_scheme(there, scheme) == there
    place, original = urls.parse(there), urls.parse(url)
    assert (place.hosts, place.user, place.password, place.dbname, place.sslmode) == (
        original.hosts, original.user, original.password, original.dbname, original.sslmode
    )  # fmt: skip
    back = drivers.libpq(there)
    lost = drivers.LIBPQ_ONLY if "asyncpg" in scheme else ()
    wanted = {name: value for name, value in original.parameters.items() if name not in lost}
    assert urls.parse(back).parameters == wanted


@pytest.mark.parametrize("scheme", ["mysql", "postgresql://", "postgis", "postgres+"])
def test_what_is_no_scheme_of_postgres_is_said(tmp_path: Path, scheme: str) -> None:
    with pytest.raises(SettingsError, match="it must be postgresql, postgres"):
        resolve(tmp_path, environ={}, url_scheme=scheme)


@pytest.mark.parametrize("scheme", SCHEMES[:3])
def test_a_projects_life_with_it(project: Project, scheme: str) -> None:
    (project.folder / "pyproject.toml").write_text(
        f'[tool.neonup]\nurl_scheme = "{scheme}"\n'
        '[tool.neonup.variables]\nHOST_OF_IT = "{host}"\n'
    )
    (project.folder / "seed.sql").write_text("CREATE TABLE item AS SELECT 7 AS n")
    project.ok("--seed", "seed.sql")
    url = project.url
    assert url.startswith(f"{scheme}://neondb_owner:")
    assert project.variables["HOST_OF_IT"] == "127.0.0.1"
    assert project.query("SELECT n FROM item") == "7"
    shown = "import neonup, os; print(neonup.ensure().url, os.environ['DATABASE_URL'])"
    assert project.python(shown).stdout.split() == [url, url]
    assert project.json("status")["state"] == "ready"
    assert project.json("env")["DATABASE_URL"] == url
    assert project.ok("url").startswith("postgresql://")
    assert project.ok("url", "--server").strip() == project.ok("url").strip()[: -len("/neondb")]
    assert project.neonup("doctor").returncode == 0
    written = project.env_file.read_bytes()
    project.ok("stop")
    project.ok("versions", "checkpoint", "before")
    project.ok("psql", "--", "-c", "DROP TABLE item")
    project.ok("undo", "--yes")
    code = "import psycopg; print(psycopg.connect('').execute('SELECT n FROM item').fetchone())"
    assert project.ok("run", "--", sys.executable, "-c", code) == "(7,)\n"
    assert project.env_file.read_bytes() == written
    project.ok("reset", "--yes")
    assert project.url == url
    project.ok("destroy", "--yes")
    assert not project.env_file.exists()


def test_a_change_of_the_setting_is_written_at_the_next_start(project: Project) -> None:
    project.ok()
    before = project.env_file.read_text()
    project.ok(NEONUP_URL_SCHEME="postgres")
    assert project.env_file.read_text() == before.replace("=postgresql://", "=postgres://", 1)
    project.ok(NEONUP_URL_SCHEME="postgresql")
    assert project.env_file.read_text() == before


def test_the_users_own_url_stays_as_it_is(project: Project) -> None:
    mine = "postgresql+asyncpg://app@db.example/shop"
    code = "import neonup; print(neonup.ensure().url)"
    done = project.python(code, DATABASE_URL=mine, NEONUP_URL_SCHEME="postgres")
    assert done.stdout.strip() == mine


@pytest.mark.parametrize("test", [False, True])
def test_a_command_and_a_throwaway_database_have_it(project: Project, test: bool) -> None:
    code = "import os; print(os.environ['DATABASE_URL'].partition(':')[0])"
    option = ["--test"] if test else []
    command = ["run", *option, "--", sys.executable, "-c", code]
    assert project.ok(*command, NEONUP_URL_SCHEME="postgres") == "postgres\n"
    assert project.env_file.exists() is not test
