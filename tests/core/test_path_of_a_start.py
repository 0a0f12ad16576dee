"""What a start costs where the database is there: the modules that it imports."""

from __future__ import annotations

import json

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
    "filelock",
    "httpx",
    "importlib.metadata",
    "pluggy",
    "psutil",
    "psycopg",
    "sqlite3",
    "ssl",
    "subprocess",
    "tomllib",
}


def test_a_start_with_a_database_there_imports_no_more_than_this(project: Project) -> None:
    project.ok()
    modules = set(json.loads(project.python(SEEN).stdout))
    assert not modules & HEAVY
    assert {name for name in modules if name.startswith("neonup")} == {
        "neonup",
        "neonup.database",
        "neonup.env",
        "neonup.env.dotenv",
        "neonup.env.record",
        "neonup.errors",
        "neonup.postgres",
        "neonup.postgres.urls",
        "neonup.process",
        "neonup.provider",
        "neonup.providers",
        "neonup.providers.registry",
        "neonup.settings",
        "neonup.start",
        "neonup.start.announce",
        "neonup.start.flow",
        "neonup.start.lock",
        "neonup.start.lookup",
        "neonup.start.once",
        "neonup.start.ready",
        "neonup_local",
        "neonup_local.engine",
        "neonup_local.engine.postmaster",
        "neonup_local.provider",
    }


def test_importing_neonup_alone_loads_nothing_else(project: Project) -> None:
    done = project.python(
        "import sys; before = set(sys.modules); import neonup; "
        "print(sorted(n for n in set(sys.modules) - before if n.startswith('neonup')))"
    )
    assert done.stdout.strip() == "['neonup', 'neonup.process']"
