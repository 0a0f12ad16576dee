"""A project as ``django-admin startproject`` makes it, with neonup's two lines and an app."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests import asking
from tests.programs import Program
from tests.project import Project

APP = {
    "notes/__init__.py": "",
    "notes/migrations/__init__.py": "",
    "notes/models.py": """
from django.db import models

class Note(models.Model):
    text = models.TextField()
""",
    "notes/migrations/0001_initial.py": """
from django.db import migrations, models

ID = (
    "id",
    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
)

class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Note",
            [ID, ("text", models.TextField())],
        ),
    ]
""",
    "notes/views.py": """
from django.db import connection
from django.http import JsonResponse
from notes.models import Note

def add(request):
    Note.objects.create(text="hello")
    return JsonResponse({"notes": Note.objects.count()})

def asked(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), inet_server_port(), pg_backend_pid()")
        name, port, pid = cursor.fetchone()
    return JsonResponse({"name": name, "port": port, "pid": pid})
""",
    "notes/tests.py": """
from django.test import TestCase
from notes.models import Note

class Notes(TestCase):
    def test_add(self):
        self.assertEqual(self.client.get("/add").json(), {"notes": 1})
""",
    "shop/urls.py": """
from django.urls import path
from notes import views

urlpatterns = [path("add", views.add), path("", views.asked)]
""",
}
"""A model, a view that writes, and one that asks the server where it is."""

STARTED = re.compile(r"^Starting .*server at (http://\S+?)/?$", re.M)
BANNER = re.compile(r"^neonup  .*(?:\n        .*)*", re.M)


@dataclass
class Site(Project):
    """The project's folder; ``shop`` is its package."""

    def start(self, database: str = "django_neon.database()") -> Site:
        """Make it, as a new user would."""
        command = [sys.executable, "-m", "django", "startproject", "shop", "."]
        done = self.command(command)
        assert done.returncode == 0, done.stderr
        for name, text in APP.items():
            self.write(name, text)
        settings = self.read("shop/settings.py")
        settings = settings.replace(
            "INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "django_neon",\n    "notes",'
        )
        settings = re.sub(r"(?s)DATABASES = \{.*?\n\}\n", f"{_entry(database)}\n", settings)
        self.write("shop/settings.py", f"import django_neon\n{settings}")
        return self

    @property
    def interpreter(self) -> list[str]:
        return [sys.executable]

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def set(self, text: str) -> None:
        """Add lines to the settings."""
        self.write("shop/settings.py", f"{self.read('shop/settings.py')}\n{text}\n")

    def databases(self, default: str, **others: str) -> None:
        """Describe the databases anew."""
        lines = [
            f"    {name!r}: {text},\n" for name, text in {"default": default, **others}.items()
        ]
        self.set("DATABASES = {\n" + "".join(lines) + "}")

    def manage(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.command([sys.executable, "manage.py", *arguments], **environ)

    def managed(self, *arguments: str, **environ: str) -> str:
        """All that a management command says that must succeed."""
        done = self.manage(*arguments, **environ)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def evaluated(self, expression: str, before: str = "", **environ: str) -> Any:
        """The value of an expression in ``manage.py shell``."""
        code = f"{before}\nimport json; print('=' + json.dumps({expression}))"
        said = self.managed("shell", "-v", "0", "-c", code, **environ)
        [answer] = [line for line in said.splitlines() if line.startswith("=")]
        return json.loads(answer[1:])

    @contextmanager
    def runserver(self, *arguments: str, **environ: str) -> Iterator[Server]:
        """``manage.py runserver`` on a free port, answering."""
        command = [sys.executable, "manage.py", "runserver", "127.0.0.1:0", *arguments]
        with self.process(command, **environ) as server:
            server.until_started()
            yield server

    @contextmanager
    def process(self, command: list[str], **environ: str) -> Iterator[Server]:
        """A program in a session of its own; all of it ends with the block."""
        log = self.folder.parent / f"server-{time.monotonic_ns()}.log"
        with log.open("wb") as output:
            process = Program(
                command,
                cwd=self.folder,
                env={**self.environ, "PYTHONUNBUFFERED": "1", **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield Server(process, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(120)


def _entry(database: str) -> str:
    return f'DATABASES = {{"default": {database}}}'


@dataclass
class Server:
    """A development server that runs."""

    process: subprocess.Popen[bytes]
    log: Path
    starts: int = 0
    reloads: int = 0

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def banners(self) -> list[str]:
        return BANNER.findall(self.said)

    def until_started(self) -> None:
        """Wait until it says that it listens: once more than at the last call."""
        self.until(lambda: len(STARTED.findall(self.said)) > self.starts)
        self.starts = len(STARTED.findall(self.said))

    def until_started_again(self, change: Callable[[], None]) -> None:
        """Change a file until the reloader has noticed, which sees nothing of what comes before
        its first look at the files."""
        for _ in range(4):
            change()
            noticed = time.monotonic() + 15
            while time.monotonic() < noticed:
                if self.said.count("changed, reloading") > self.reloads:
                    self.reloads = self.said.count("changed, reloading")
                    self.until_started()
                    return
                time.sleep(0.05)
        raise AssertionError(f"no reload: {self.said}")

    def until(self, condition: Any, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def get(self, path: str = "") -> httpx.Response:
        url = STARTED.findall(self.said)[-1]
        return asking.get(f"{url}/{path}", timeout=60, trust_env=False)

    def json(self, path: str = "") -> Any:
        """What a page answers that must answer."""
        response = self.get(path)
        assert response.status_code == 200, response.text[:2000] + self.said
        return response.json()
