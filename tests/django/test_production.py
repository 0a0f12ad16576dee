"""Without a sign of development nothing is made: the first connection says what to set."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.django.site import Site
from tests.project import names

FILES = ["manage.py", "notes", "shop"]


@pytest.fixture
def production(site: Site) -> Site:
    site.set('DEBUG = False\nALLOWED_HOSTS = ["*"]')
    return site


def test_a_command_says_what_to_set_without_a_traceback(production: Site) -> None:
    done = production.manage("migrate")
    assert done.returncode == 1
    assert "There is no DATABASE_URL, and no database was created: DEBUG is off." in done.stderr
    assert "-> Set DATABASE_URL to the database's URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(production.folder) == FILES


def test_a_server_starts_and_says_it_once(production: Site) -> None:
    with production.runserver() as server:
        assert server.get().status_code == 500
        assert server.get().status_code == 500
        assert server.said.count("neonup  There is no DATABASE_URL") == 1
    assert names(production.folder) == FILES


def test_a_url_in_the_environment_is_all_it_takes(production: Site, tmp_path: Path) -> None:
    other = Site(tmp_path / "other", production.environ)
    other.folder.mkdir()
    other.ok()
    before = "from django.db import connection; connection.ensure_connection()"
    name = production.evaluated("connection.settings_dict['NAME']", before, DATABASE_URL=other.url)
    assert name == "neondb"
    said = production.managed("migrate", DATABASE_URL=other.url)
    assert "neonup" not in said  # no banner in production
    assert names(production.folder) == FILES


def test_a_hosting_platform_forbids_it_even_with_debug_on(site: Site) -> None:
    done = site.manage("migrate", DYNO="web.1")
    assert done.returncode == 1
    assert "DYNO is set, so this looks like Heroku" in done.stderr
    assert names(site.folder) == FILES


def test_development_in_so_many_words_beats_debug_off(production: Site) -> None:
    production.managed("migrate", NEONUP_ENV="development")
    assert ".env" in names(production.folder)


def test_a_manage_py_of_another_name_is_one(site: Site) -> None:
    (site.folder / "manage.py").rename(site.folder / "shopctl")
    done = site.command([*site.interpreter, "shopctl", "migrate"])
    assert "neonup  created a local Postgres" in done.stderr


def test_a_plain_script_with_debug_on_has_no_sign(site: Site) -> None:
    site.write(
        "script.py",
        "import os, django\nos.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\n"
        "django.setup()\nfrom notes.models import Note\nNote.objects.count()\n",
    )
    done = site.command([*site.interpreter, "script.py"])
    assert "nothing here says that this is development" in done.stderr
    assert ".env" not in names(site.folder)


def test_a_url_that_is_none_is_named_without_its_password(site: Site) -> None:
    done = site.manage("migrate", DATABASE_URL="mysql://me:secret@db/shop")
    assert done.returncode == 1
    assert "it starts with mysql://" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
