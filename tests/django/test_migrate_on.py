"""``migrate_on = "start"`` with Django's servers."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.django.site import Site
from tests.django.test_first_start import ask, running_on

SECOND = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [migrations.AddField("note", "done", models.BooleanField(null=True))]
"""

BROKEN = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [migrations.RunSQL("SELECT no_such_column")]
"""


def with_setting(site: Site) -> None:
    site.managed("migrate")
    site.write(
        "pyproject.toml", '[tool.neonup]\nmigrate_on = "start"\ncheckpoint_migrations = true\n'
    )


def test_runserver_migrates_before_it_answers_and_keeps_a_version(site: Site) -> None:
    with_setting(site)
    site.write("notes/migrations/0002_done.py", SECOND)
    with site.runserver() as server:
        assert server.said.count("Applying notes.0002_done") == 1
        assert server.said.count("kept the database as migrate-") == 1
        assert "unapplied" not in server.said
        assert server.said.count("found a local Postgres") == 1
    with site.runserver() as server:
        assert "No migrations to apply" in server.said
        assert "kept the database" not in server.said


def test_other_commands_do_not(site: Site) -> None:
    with_setting(site)
    site.write("notes/migrations/0002_done.py", SECOND)
    assert "[ ] 0002_done" in site.managed("showmigrations", "notes")
    assert "OK" in site.managed("test")


def test_asgi_workers_migrate_once(site: Site) -> None:
    with_setting(site)
    site.write("notes/migrations/0002_done.py", SECOND)
    command = [sys.executable, "-m", "uvicorn", "shop.asgi:application", "--workers=3", "--port=0"]
    with site.process(command) as server:
        server.until(lambda: server.said.count("Application startup complete") == 3)
        [port] = {line.rpartition(":")[2].split()[0] for line in running_on(server.said)}
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: ask(f"http://127.0.0.1:{port}/add"), range(12)))
        assert [answer["notes"] for answer in answers]
        assert server.said.count("Applying notes.0002_done") == 1


def test_a_failing_migration_is_shown_and_the_server_goes_on(site: Site) -> None:
    with_setting(site)
    site.write("notes/migrations/0002_broken.py", BROKEN)
    with site.runserver("--noreload") as server:
        [banner] = [text for text in server.banners if "found a local Postgres" in text]
        assert "The migration command failed (1): " in banner
        assert 'column "no_such_column" does not exist' in banner
        assert server.get("").status_code == 200


def test_a_start_says_how_many_are_pending(site: Site) -> None:
    site.managed("migrate")
    site.write("notes/migrations/0002_done.py", SECOND)
    with site.runserver() as server:
        assert "You have 1 unapplied migration(s)" in server.said
