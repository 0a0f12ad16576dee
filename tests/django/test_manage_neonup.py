"""``manage.py neonup``: the command line, for the project wherever it is started; the checks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.django.site import Site


def test_status_url_psql_and_reset(site: Site) -> None:
    site.managed("migrate")
    assert "a local Postgres" in site.managed("neonup", "status")
    assert site.url in site.managed("neonup", "url")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert int(site.managed("neonup", "psql", "--", "-XAtc", tables)) > 8
    site.managed("neonup", "reset", "--yes")
    assert int(site.managed("neonup", "psql", "--", "-XAtc", tables)) == 0


def test_reset_migrates_where_the_settings_say_so(site: Site) -> None:
    site.databases('django_neon.database(on_create="migrate")')
    site.managed("migrate")
    site.managed("neonup", "reset", "--yes")
    assert "No migrations to apply" in site.managed("migrate")


def test_it_is_the_projects_from_any_folder(site: Site, tmp_path: Path) -> None:
    site.managed("migrate")
    done = subprocess.run(
        [sys.executable, site.folder / "manage.py", "neonup", "url"],
        cwd=tmp_path,
        env=site.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == site.url


def test_claim_of_a_local_one_says_that_it_is_yours(site: Site) -> None:
    site.managed("migrate")
    done = site.manage("neonup", "claim")
    assert done.returncode == 1
    assert "yours already" in done.stderr


def test_an_unknown_alias_and_an_ordinary_one_are_named(site: Site) -> None:
    done = site.manage("neonup", "status", "--database", "nowhere")
    assert done.returncode == 1
    assert "DATABASES['nowhere'] does not come from django_neon.database()" in done.stderr


def test_a_file_that_git_would_publish_is_a_warning(site: Site) -> None:
    subprocess.run(["git", "init", "-q"], cwd=site.folder, check=True)
    site.managed("migrate")
    assert "(neonup.W002) git does not ignore .env" in site.managed("check")
    site.write(".gitignore", ".env\n")
    assert "W002" not in site.managed("check")


def test_a_setting_that_cannot_be_used_is_an_error(site: Site) -> None:
    done = site.manage("check", NEONUP_KEY="not a name")
    assert done.returncode == 1
    assert "(neonup.E002)" in done.stderr


def test_a_missing_driver_names_the_installation(site: Site, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    for name in ("psycopg", "psycopg2"):
        (blocked / name).mkdir(parents=True)
        (blocked / name / "__init__.py").write_text("raise ImportError('not installed here')\n")
    done = site.manage("check", PYTHONPATH=str(blocked))
    assert done.returncode == 1
    assert 'pip install "psycopg[binary]" (neonup.E001)' in done.stderr


def test_dbshell_finds_the_database(site: Site) -> None:
    site.managed("migrate")
    done = site.manage("dbshell", "--", "-XAtc", "SELECT current_database()")
    assert done.stdout.strip() == "neondb", done.stderr


def test_in_a_copied_folder_the_originals_data_stays(site: Site) -> None:
    site.managed("migrate")
    copied = site.folder.with_name(f"{site.folder.name}-copy")
    shutil.copytree(site.folder, copied)

    def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=copied,
            env=site.environ,
            capture_output=True,
            text=True,
            check=False,
        )

    for command in ("destroy", "reset"):
        done = manage("neonup", command, "--yes")
        assert done.returncode == 1
        assert f"This is the database of {site.folder}" in done.stderr
    assert f"it is the database of {site.folder}" in manage("migrate").stderr
    assert manage("neonup", "fork").returncode == 0
    assert manage("neonup", "destroy", "--yes").returncode == 0
    assert "No migrations to apply" in site.managed("migrate")
