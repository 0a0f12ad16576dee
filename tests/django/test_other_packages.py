"""Other packages' backends and commands over neonup's, as a user installs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.django.site import Site
from tests.environments import asks_an_index, layered_environment, run_pip

BACKENDS = {
    "psqlextra.backend": "django-postgres-extra==3.0.1",
    "django_prometheus.db.backends.postgresql": "django-prometheus==2.5.0",
    "django_tenants.postgresql_backend": "django-tenants==4.0.1",
}

PSQLEXTRA_MODEL = """
from psqlextra.models import PostgresModel

class Counter(PostgresModel):
    name = models.TextField(unique=True)
"""


def install(site: Site, folder: Path, *packages: str) -> str:
    """Install packages into an environment of the site's own; returns its Python."""
    python = str(layered_environment(folder) / "python")
    run_pip(python, "install", "--quiet", *packages)
    return python


def managed(site: Site, python: str, *arguments: str) -> str:
    done = site.command([python, "manage.py", *arguments])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.thorough
@asks_an_index
@pytest.mark.parametrize("engine", [*BACKENDS])
def test_a_backend_is_underneath(site: Site, tmp_path: Path, engine: str) -> None:
    python = install(site, tmp_path / "env", BACKENDS[engine])
    site.databases(f"django_neon.database(engine={engine!r})")
    assert "Applying notes.0001_initial... OK" in managed(site, python, "migrate")
    code = (
        "from django.db import connection; connection.ensure_connection(); "
        "wrapper = connection.connection and type(connection.copy()); "
        "print('over', wrapper.mro()[2].__module__)"
    )
    assert f"over {engine}.base" in managed(site, python, "shell", "-c", code)
    assert "\nOK\n" in managed(site, python, "test")


@pytest.mark.thorough
@asks_an_index
def test_psqlextras_manager_finds_its_backend(site: Site, tmp_path: Path) -> None:
    python = install(site, tmp_path / "env", BACKENDS["psqlextra.backend"])
    site.databases('django_neon.database(engine="psqlextra.backend")')
    site.set('INSTALLED_APPS += ["django.contrib.postgres", "psqlextra"]')
    site.write("notes/models.py", site.read("notes/models.py") + PSQLEXTRA_MODEL)
    managed(site, python, "makemigrations", "notes")
    managed(site, python, "migrate")
    add = "Counter.objects.on_conflict(['name'], ConflictAction.NOTHING).insert(name='a')"
    code = (
        "from notes.models import Counter; from psqlextra.types import ConflictAction; "
        f"{add}; {add}; print('rows', Counter.objects.count())"
    )
    assert "rows 1" in managed(site, python, "shell", "-c", code)


@pytest.mark.thorough
@asks_an_index
def test_django_extensions_and_dbbackup_read_the_entry(site: Site, tmp_path: Path) -> None:
    packages = ("django-extensions==4.1", "django-dbbackup==5.4.0")
    python = install(site, tmp_path / "env", *packages)
    site.set('INSTALLED_APPS += ["django_extensions", "dbbackup"]')
    shown = managed(site, python, "sqldsn", "--style", "uri")
    assert site.url.partition("?")[0] in shown
    assert "CREATE DATABASE neondb" in managed(site, python, "sqlcreate")
    managed(site, python, "migrate")
    managed(site, python, "reset_db", "--noinput")
    assert site.query("SELECT to_regclass('notes_note') IS NULL") == "t"
