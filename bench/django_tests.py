"""The row of Django's tests: how long the making of the test database takes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from dotenv import dotenv_values

from bench import world
from bench.figures import Case, Pair
from bench.timing import Command, flush, in_turns, process_milliseconds
from bench.world import Home

_APPS, _EACH = 10, 20
_PYTEST = (
    *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
    *("-p", "pytest_django.plugin"),
)
_OURS = ("-p", "neonup_pytest.plugin", "-o", "neon_env=DATABASE_URL")

_SETTINGS = """\
import os
import neonup

SECRET_KEY = "of a benchmark"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", {apps}]
DATABASES = {{"default": neonup.drivers.django(os.environ["DATABASE_URL"])}}
"""

_INITIAL = """\
from django.conf import settings
from django.db import migrations, models

ID = ("id", models.BigAutoField(primary_key=True, serialize=False))

class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), {before}]
    operations = [
        migrations.CreateModel(
            "Order",
            [
                ID,
                ("name", models.CharField(max_length=50)),
                ("owner", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)),
                {more}
            ],
        ),
        migrations.CreateModel("Line", [ID, ("order", models.ForeignKey("Order", models.CASCADE))]),
    ]
"""

_OPERATIONS = (
    'migrations.AddField("Order", "f{number}", models.IntegerField(default=0))',
    'migrations.AddIndex("Order", models.Index(fields=["name"], name="{app}_{number}"))',
    'migrations.CreateModel("M{number}", [ID, ("of", models.ForeignKey("Order", models.CASCADE))])',
    'migrations.AddField("Line", "of{number}", models.ForeignKey("Order", models.CASCADE, '
    'null=True, related_name="+"))',
    'migrations.AlterField("Order", "name", models.CharField(max_length=50 + {number}))',
    'migrations.RunPython(lambda apps, editor: apps.get_model("{app}", "Order").objects.count())',
)
"""What later migrations do, in turns."""

_NEXT = """\
from django.db import migrations, models

ID = ("id", models.BigAutoField(primary_key=True, serialize=False))

class Migration(migrations.Migration):
    dependencies = [("{app}", "{before}")]
    operations = [{operation}]
"""

_CONFTEST = """\
import json, os, time
from pathlib import Path
import pytest

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef):
    begin = time.perf_counter()
    result = yield
    if fixturedef.argname == "django_db_setup":
        taken = (time.perf_counter() - begin) * 1000
        Path(os.environ["BENCH_OUT"]).write_text(json.dumps(taken))
    return result
"""


def creation(repeats: int) -> Pair:
    """From the start of making the test database to its end, our server's start included.

    Django's own makes it on neonup's local server, which runs already: the same Postgres.
    """
    with world.home() as home, _project(home) as (folder, url):
        ours = _command(home, folder, url, *_OURS)
        theirs = _command(home, folder, url)
        out = folder / "taken.json"  # the first run is not counted: then it is cached
        return in_turns(
            lambda: _creation(ours, out), lambda: _creation(theirs, out), max(repeats // 2, 2)
        )


def _creation(command: Command, out: Path) -> float:
    flush()
    environ = {**command.environ, "BENCH_OUT": str(out)}
    process_milliseconds(Command(command.argv, command.cwd, environ))
    return float(json.loads(out.read_text(encoding="utf-8")))


def _command(home: Home, folder: Path, url: str, *more: str) -> Command:
    environ = {
        **home.environ,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "DJANGO_SETTINGS_MODULE": "settings",
        "DATABASE_URL": url,
    }
    return Command([*_PYTEST, *more], folder, environ)


@contextmanager
def _project(home: Home) -> Iterator[tuple[Path, str]]:
    """A project with one trivial test, and its development database's URL."""
    with world.project(home) as folder:
        home.run("--yes", cwd=folder)
        home.settle()
        url = dotenv_values(folder / ".env")["DATABASE_URL"]
        assert url
        apps = [f"app{number}" for number in range(_APPS)]
        for before, app in pairwise(["", *apps]):
            _write_app(folder / app, app, before)
        settings = _SETTINGS.format(apps=", ".join(map(repr, apps)))
        (folder / "settings.py").write_text(settings, encoding="utf-8")
        (folder / "conftest.py").write_text(_CONFTEST, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
        (folder / "test_one.py").write_text("def test_one(db): pass\n", encoding="utf-8")
        yield folder, url


def _write_app(folder: Path, app: str, other: str) -> None:
    """An app whose models refer to users and to another app's, as they do."""
    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (migrations / "__init__.py").touch()
    before = f'("{other}", "0001_initial")' if other else ""
    more = f'("other", models.ForeignKey("{other}.Order", models.CASCADE)),' if other else ""
    text = _INITIAL.format(before=before, more=more)
    (migrations / "0001_initial.py").write_text(text, encoding="utf-8")
    last = "0001_initial"
    for number in range(2, _EACH + 1):
        name = f"{number:04}_more"
        operation = _OPERATIONS[number % len(_OPERATIONS)].format(app=app, number=number)
        text = _NEXT.format(app=app, before=last, operation=operation)
        (migrations / f"{name}.py").write_text(text, encoding="utf-8")
        last = name


CASES = (
    Case(
        "django-tests", "Django's test database, 200 migrations, cached", "Django's own",
        "ms", 0.2, creation,
    ),
)  # fmt: skip
