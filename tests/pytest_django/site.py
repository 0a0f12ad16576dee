"""A Django project with migrations, and a database of its own that no test may reach."""

from __future__ import annotations

import subprocess
import textwrap
from dataclasses import dataclass

import psycopg

from tests.postgres import Server
from tests.pytest.child import Child, Run

MODELS = """
    from django.db import models

    class Note(models.Model):
        text = models.TextField()
"""

INITIAL = """
    from django.db import migrations, models
    from notes.steps import step

    ID = ("id", models.BigAutoField(primary_key=True, serialize=False))

    class Migration(migrations.Migration):
        initial = True
        dependencies = []
        operations = [
            migrations.CreateModel("Note", [ID, ("text", models.TextField())]),
            migrations.RunPython(step, migrations.RunPython.noop),
        ]
"""

STEPS = """
    from django.conf import settings

    def step(apps, editor):
        alias = editor.connection.alias
        with (settings.BASE_DIR / "steps.log").open("a") as log:
            log.write(f"migrated {alias}\\n")
        apps.get_model("notes", "Note").objects.using(alias).create(text="of a migration")
"""

APPS = """
    from django.apps import AppConfig
    from django.conf import settings
    from django.db.models.signals import post_migrate

    def told(sender, using, **kwargs):
        with (settings.BASE_DIR / "steps.log").open("a") as log:
            log.write(f"told {using}\\n")

    class NotesConfig(AppConfig):
        name = "notes"
        default_auto_field = "django.db.models.BigAutoField"

        def ready(self):
            post_migrate.connect(told, sender=self)
"""

SETTINGS = """
    import os
    from pathlib import Path
    import neonup

    BASE_DIR = Path(__file__).parent
    SECRET_KEY = "of a test"
    USE_TZ = True
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "notes"]
    DATABASES = {"default": neonup.drivers.django(os.environ["DATABASE_URL"])}
    ROOT_URLCONF = "urls"
    STATIC_URL = "static/"
"""

MANAGE = """
    import os, sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""

INI = """
    DJANGO_SETTINGS_MODULE = settings
    neon_env = DATABASE_URL
"""


@dataclass
class Site(Child):
    """The project; the variable DATABASE_URL in its shell leads to the developer's database."""

    def start(self) -> Site:
        self.ini(INI)
        self.write(settings=SETTINGS, manage=MANAGE, urls="urlpatterns = []")
        self.file("notes/__init__.py", "")
        self.file("notes/migrations/__init__.py", "")
        self.write(notes__models=MODELS, notes__apps=APPS, notes__steps=STEPS)
        self.file("notes/migrations/0001_initial.py", INITIAL)
        return self

    def set(self, text: str) -> None:
        """Settings besides those there are."""
        self.file("settings.py", f"{textwrap.dedent(SETTINGS)}\n{textwrap.dedent(text)}")

    def steps(self) -> list[str]:
        """What migrations and handlers have done since the last call."""
        log = self.folder / "steps.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def manage(self, *args: str, **environ: str) -> Run:
        done = subprocess.run(
            [self.program, "manage.py", *args],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        return Run(done.returncode, done.stdout)


@dataclass(frozen=True)
class Developers:
    """The developer's own server, and the database on it."""

    server: Server
    url: str

    def seen(self) -> tuple[object, ...]:
        """What any use of the server would change: its sessions, its databases, its tables."""
        with self.server.admin("probe") as connection:
            sessions = connection.execute(
                "SELECT datname, sessions FROM pg_stat_database WHERE datname <> 'probe' ORDER BY 1"
            ).fetchall()
            failed = connection.execute("SELECT count(*) FROM pg_database").fetchall()
        return (*sessions, *failed)

    def databases(self) -> list[str]:
        with self.server.admin("probe") as connection:
            found = connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()
        return [name for (name,) in found]

    def query(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
