"""``checkpoint_migrations``: a version before ``migrate`` changes anything, and the way back."""

from __future__ import annotations

import re

from tests.django.site import Site
from tests.neon_new_server import NeonNewServer

BAD = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [migrations.RemoveField("note", "text")]
"""
APPLIED = "SELECT count(*) FROM django_migrations WHERE app = 'notes'"
COLUMNS = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'notes_note'"
KEPT = re.compile(r"^neonup  kept the database as (migrate-\d{8}-\d{6}); `neonup undo`", re.M)


def with_setting(site: Site) -> None:
    site.write("pyproject.toml", "[tool.neonup]\ncheckpoint_migrations = true\n")


def versions(site: Site) -> list[str]:
    return [one["name"] for one in site.json("versions", "list")["versions"]]


def test_back_to_before_a_bad_migration(site: Site) -> None:
    site.managed("migrate")
    site.query("INSERT INTO notes_note (text) VALUES ('kept')")
    with_setting(site)
    assert "kept the database" not in site.managed("migrate")  # there is nothing to apply
    site.write("notes/migrations/0002_bad.py", BAD)
    assert "kept the database" not in site.managed("migrate", "--plan")
    said = site.managed("migrate")
    [name] = KEPT.findall(said)
    assert "Applying notes.0002_bad... OK" in said
    assert (site.query(APPLIED), site.query(COLUMNS)) == ("2", "1")
    assert f"is back at {name}" in site.ok("undo", "-y")
    assert (site.query(APPLIED), site.query(COLUMNS)) == ("1", "2")
    assert site.query("SELECT text FROM notes_note") == "kept"
    assert "[ ] 0002_bad" in site.managed("showmigrations", "notes")
    [kept] = [one for one in site.json("versions", "list")["versions"] if one["name"] == name]
    assert kept["automatic"]


def test_without_the_setting_none_is_kept(site: Site) -> None:
    assert "kept the database" not in site.managed("migrate")
    assert versions(site) == []


def test_none_is_kept_where_neonup_is_switched_off(site: Site) -> None:
    site.ok("-y")
    with_setting(site)
    assert "Applying notes.0001_initial... OK" in site.managed("migrate", NEONUP="off")
    assert versions(site) == []


def test_none_is_kept_outside_development_or_in_tests(site: Site) -> None:
    with_setting(site)
    site.managed("test")
    site.set("DEBUG = False")
    assert "kept the database" not in site.managed("migrate")
    site.set("DEBUG = True")
    assert versions(site) == []


def test_none_is_kept_of_a_database_that_is_new(site: Site) -> None:
    with_setting(site)
    assert "kept the database" not in site.managed("migrate")
    assert versions(site) == []


def test_none_is_kept_of_one_that_is_migrated_while_it_is_made(site: Site) -> None:
    with_setting(site)
    site.databases('django_neon.database(on_create="migrate")')
    said = site.managed("shell", "-c", "from notes.models import Note; print(Note.objects.all())")
    assert "Applying notes.0001_initial" in said
    assert versions(site) == []


def test_none_is_kept_of_a_users_own_database(site: Site) -> None:
    site.ok("-y")
    url = site.url
    with_setting(site)
    site.env_file.unlink()
    assert "kept the database" not in site.managed("migrate", DATABASE_URL=url)


def test_each_database_has_its_own(site: Site) -> None:
    with_setting(site)
    site.databases("django_neon.database()", other='django_neon.database("other")')
    site.ok("-y", "-k", "OTHER_DATABASE_URL")
    site.managed("migrate", "--database", "other")
    assert len(site.json("versions", "list", "-k", "OTHER_DATABASE_URL")["versions"]) == 1
    assert "There is no DATABASE_URL" in site.fails("versions", "list")


def test_where_none_can_be_kept_nothing_is_migrated(
    site: Site, neon_new_server: NeonNewServer
) -> None:
    api = {"NEONUP_NEON_NEW_URL": neon_new_server.api, "NEONUP_PROVIDER": "neon.new"}
    with_setting(site)
    site.ok("-y", **api)
    done = site.manage("migrate", **api)
    assert done.returncode == 1
    assert "CommandError: Nothing was migrated" in done.stderr
    assert "no versions of a neon.new database" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Applying" not in done.stdout
    off = site.managed("migrate", NEONUP_CHECKPOINT_MIGRATIONS="off", **api)
    assert "Applying notes.0001_initial... OK" in off
