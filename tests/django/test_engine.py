"""Code that reads ``DATABASES`` sees Django's own backend, and where the database is."""

from __future__ import annotations

import sys

from tests.django.site import Site
from tests.project import names

ENGINE = "django.db.backends.postgresql"

READERS = f"""
ENGINE = DATABASES["default"]["ENGINE"]
assert ENGINE == {ENGINE!r}
assert ENGINE in {{{ENGINE!r}, "another"}}
assert "postgresql" in ENGINE and ENGINE.endswith("postgresql")
assert ENGINE.split(".")[-1] == "postgresql"
"""

CONFTEST = """
import pytest

def pytest_collection_modifyitems(config, items):
    from django.conf import settings
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs Postgres"))
"""

COPIES = """
DATABASES["replica"] = {**DATABASES["default"], "TEST": {"MIRROR": "default"}}
DATABASES["analytics"] = {**DATABASES["default"], "NAME": "analytics"}
DATABASES["archive"] = django_neon.database("archive", NAME="the archive")
"""

ASKED = """
from django.db import connections
asked = {}
for connection in connections.all():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), inet_server_port()")
        asked[connection.alias] = cursor.fetchone()
"""


def test_settings_that_read_the_engine_go_djangos_way(site: Site) -> None:
    site.set(READERS)
    assert "Applying notes.0001_initial... OK" in site.managed("migrate")


def test_a_conftest_that_compares_the_engine_skips_nothing(site: Site) -> None:
    site.write("conftest.py", CONFTEST)
    command = [sys.executable, "-m", "pytest", "-q", "notes/tests.py"]
    for _ in range(2):
        done = site.command(command, DJANGO_SETTINGS_MODULE="shop.settings")
        assert "1 passed" in done.stdout and "skipped" not in done.stdout, done.stdout + done.stderr
        assert not site.env_file.exists()


COOKIECUTTER = """
import environ
env = environ.Env()
if env.bool("DJANGO_READ_DOT_ENV_FILE", default=False):
    env.read_env(str(BASE_DIR / ".env"))
DATABASES = {"default": env.db("DATABASE_URL")}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
"""


def test_cookiecutters_settings_unchanged(site: Site) -> None:
    site.set(COOKIECUTTER)
    shown = site.neonup("run", "--", sys.executable, "manage.py", "migrate")
    assert "Applying notes.0001_initial... OK" in shown.stdout, shown.stderr
    said = site.managed("migrate", DJANGO_READ_DOT_ENV_FILE="True")
    assert "No migrations to apply" in said
    done = site.command(
        [sys.executable, "-m", "pytest", "-q", "notes/tests.py"],
        DJANGO_SETTINGS_MODULE="shop.settings",
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert site.query("SELECT count(*) FROM notes_note") == "0"


def test_another_backend_is_what_its_readers_see(site: Site) -> None:
    site.write("mine/__init__.py", "")
    site.write("mine/base.py", "from django.db.backends.postgresql.base import DatabaseWrapper\n")
    site.databases('django_neon.database(engine="mine")')
    before = "from django.conf import settings; ENGINE = settings.DATABASES['default']['ENGINE']"
    assert site.evaluated("[ENGINE, ENGINE == 'mine', 'mine' in ENGINE]", before) == [
        *("mine", True, True)
    ]


def test_a_backend_that_is_missing_is_named(site: Site) -> None:
    site.databases('django_neon.database(engine="not_installed.backend")')
    done = site.manage("migrate")
    assert done.returncode != 0
    assert "The backend not_installed.backend" in done.stderr
    assert "No module named 'not_installed'" in done.stderr


def test_a_command_reads_where_the_database_is(site: Site) -> None:
    site.write("notes/management/__init__.py", "")
    site.write("notes/management/commands/__init__.py", "")
    site.write(
        "notes/management/commands/sqldsn.py",
        "from django.conf import settings\n"
        "from django.core.management.base import BaseCommand\n\n"
        "class Command(BaseCommand):\n"
        "    def handle(self, **options):\n"
        "        entry = settings.DATABASES['default']\n"
        "        for name in ('USER', 'PASSWORD', 'HOST', 'PORT', 'NAME'):\n"
        "            assert entry.copy().get(name) == entry[name]\n"
        "        print('postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}'.format(**entry))\n",
    )
    shown = site.managed("sqldsn")
    assert site.url.partition("?")[0] in shown


def test_reading_while_django_starts_makes_nothing(site: Site) -> None:
    site.set('assert DATABASES["default"]["NAME"] == DATABASES["default"].get("HOST") == ""')
    assert "no issues" in site.managed("check")
    assert names(site.folder) == ["manage.py", "notes", "shop"]


def test_reading_without_leave_to_create_changes_nothing(site: Site) -> None:
    site.set("DEBUG = False")
    before = "from django.conf import settings"
    assert site.evaluated("settings.DATABASES['default']['NAME']", before) == ""
    assert names(site.folder) == ["manage.py", "notes", "shop"]


def test_copies_of_an_entry_share_its_server(site: Site) -> None:
    site.set(COPIES)
    found = site.evaluated("asked", ASKED)
    assert {alias: name for alias, (name, _) in found.items()} == {
        "default": "neondb",
        "replica": "neondb",
        "analytics": "analytics",
        "archive": "the archive",
    }
    assert len({port for _, port in found.values()}) == 1
    assert list(site.variables) == ["DATABASE_URL"]
    assert site.evaluated("asked", ASKED) == found
    assert "OK" in site.managed("test")


def test_the_first_command_may_use_a_database_of_another_name(site: Site) -> None:
    site.set(COPIES)
    shown = site.managed("dbshell", "--database", "analytics", "--", "-XAtc", "SELECT 6 * 7")
    assert "42" in shown
    assert "Applying notes" in site.managed("migrate", "--database", "archive")
