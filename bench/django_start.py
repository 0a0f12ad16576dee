"""The rows of Django: ``runserver`` from its start to its first answered request."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from bench import servers, world
from bench.figures import Case, Pair
from bench.servers import Program
from bench.world import Home

_URLS = """
from django.db import connection
from django.http import HttpResponse
from django.urls import path

def ask(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("yes")

urlpatterns = [path("", ask)]
"""
_OURS = "import django_neon\nDATABASES = {'default': django_neon.database()}\n"
_HARD_CODED = "the same with a hard-coded URL"


def start(repeats: int) -> Pair:
    """With the database there."""
    with world.home() as home, _ready(home) as (folder, theirs):
        ours = _program(folder, home)
        return servers.side_by_side(servers.always(ours), servers.always(theirs), repeats * 2)


def first_start(repeats: int) -> Pair:
    """With no database yet, on a machine that had one before."""

    @contextmanager
    def ours() -> Iterator[Program]:
        with world.project(home) as folder:
            _site(folder, _OURS)
            home.settle()
            yield _program(folder, home)

    with world.home() as home, _ready(home) as (_, theirs):
        return servers.side_by_side(ours, servers.always(theirs), repeats)


@contextmanager
def _ready(home: Home) -> Iterator[tuple[Path, Program]]:
    """A project of neonup's with its database running, and the same with a hard-coded URL."""
    import neonup

    with world.project(home) as folder, world.folder("plain-") as plain:
        _site(folder, _OURS)
        home.run("--yes", cwd=folder)
        home.settle()
        url = dotenv_values(folder / ".env")["DATABASE_URL"]
        assert url
        _site(plain, f"DATABASES = {{'default': {neonup.drivers.django(url)!r}}}\n")
        yield folder, _program(plain, home)


def _site(folder: Path, databases: str) -> None:
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", folder], check=True)
    settings = folder / "shop" / "settings.py"
    text = settings.read_text()
    if "django_neon" in databases:
        text = text.replace("INSTALLED_APPS = [", 'INSTALLED_APPS = [\n    "django_neon",')
    settings.write_text(re.sub(r"(?s)DATABASES = \{.*?\n\}\n", lambda _: databases, text))
    (folder / "shop" / "urls.py").write_text(_URLS)


def _program(folder: Path, home: Home) -> Program:
    command = [sys.executable, "manage.py", "runserver", "127.0.0.1:{port}"]
    return Program(command, folder, home.environ)


CASES = (
    Case("django", "runserver, first answer", _HARD_CODED, "ms", 1.1, start),
    Case(
        "django-first",
        "runserver, first answer on a first run",
        _HARD_CODED,
        "ms",
        2.0,
        first_start,
    ),
)
