"""What a start costs where the database is there: the modules that it imports."""

from __future__ import annotations

import json
import sys

import pytest

from tests.project import Project

SEEN = """
import json, sys
before = set(sys.modules)
import neonup
neonup.ensure()
print(json.dumps(sorted(set(sys.modules) - before)))
"""

HEAVY = {
    "asyncio",
    "asyncpg",
    "click",
    "httpx",
    "importlib.metadata",
    "neonup.locks",
    "pluggy",
    "psutil",
    "psycopg",
    "sqlite3",
    "ssl",
    "subprocess",
    "tomllib",
}


NOT_AT_A_START = HEAVY | {"dataclasses", "datetime", "inspect", "threading"}
if sys.platform == "linux":
    NOT_AT_A_START |= {"socket"}  # see `postmaster.serves`


def test_a_start_with_a_database_there_imports_no_more_than_this(project: Project) -> None:
    project.ok()
    modules = set(json.loads(project.new_python(SEEN).stdout))
    assert not modules & NOT_AT_A_START
    assert {name for name in modules if name.startswith("neonup")} == {
        "neonup",
        "neonup.database",
        "neonup.env",
        "neonup.env.dotenv",
        "neonup.env.record",
        "neonup.errors",
        "neonup.options",
        "neonup.postgres",
        "neonup.postgres.urls",
        "neonup.process",
        "neonup.provider",
        "neonup.providers",
        "neonup.providers.registry",
        "neonup.settings",
        "neonup.start",
        "neonup.start.announce",
        "neonup.start.ensure",
        "neonup.start.flow",
        "neonup.start.lookup",
        "neonup.start.once",
        "neonup.start.ready",
        "neonup.values",
        "neonup_local",
        "neonup_local.engine",
        "neonup_local.engine.postmaster",
        "neonup_local.provider",
    }


def test_importing_neonup_alone_loads_nothing_else(project: Project) -> None:
    done = project.new_python(
        "import sys; before = set(sys.modules); import neonup; "
        "print(sorted(n for n in set(sys.modules) - before if n.startswith('neonup')))"
    )
    assert done.stdout.strip() == "['neonup', 'neonup.process']"


LOADED = """
import atexit, json, sys
atexit.register(lambda: print("\\n" + json.dumps(sorted(sys.modules))))
"""
DRIVERS = {"asyncpg", "psycopg", "psycopg2", "sqlalchemy"}


@pytest.mark.parametrize(
    ("code", "never"),
    [
        ("import neonup", HEAVY),
        ("import neonup_cloud", DRIVERS | {"asyncio", "pluggy", "neonup_local", "authlib"}),
        ("from neonup.cli import main; main(['--version'])", HEAVY - {"click"}),
        ("from neonup.cli import main; main(['status'])", HEAVY - {"click"}),
        (
            "from neonup.cli import main; main(['--help'])",
            {"httpx", "authlib", "jinja2", "uvicorn"},
        ),
        ("import django_neon; django_neon.database()", {*HEAVY, "django", "neonup"}),
        ("import fastapi_neon; fastapi_neon.Neon()", DRIVERS | {"fastapi", "starlette", "httpx"}),
    ],
)
def test_a_start_does_not_load(project: Project, code: str, never: set[str]) -> None:
    project.env_file.write_text("DATABASE_URL=postgresql://me@127.0.0.1:1/mine\n")
    done = project.new_python(LOADED + code)
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert not loaded & never


def test_pytest_with_an_idle_plugin_loads_nothing_of_the_core(project: Project) -> None:
    (project.folder / "test_x.py").write_text("def test_x(): pass\n")
    done = project.new_python(
        LOADED + "import pytest; pytest.main(['-q', '-p', 'no:cacheprovider'])"
    )
    assert "1 passed" in done.stdout
    loaded = json.loads(done.stdout.splitlines()[-1])
    ours = {name for name in loaded if name.startswith(("neonup", "django_neon", "fastapi_neon"))}
    assert ours == {
        "neonup_pytest",
        "neonup_pytest.activation",
        "neonup_pytest.fixtures",
        "neonup_pytest.options",
        "neonup_pytest.plugin",
        "neonup_pytest.run",
        "neonup_pytest.supported",
    }
