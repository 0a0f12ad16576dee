"""A neonup that pipx installed, beside a project whose own environment has only the adapters."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.environments import asks_an_index
from tests.project import clean_environ
from tests.release.conftest import Dist
from tests.release.environments import empty_environment
from tests.release.test_installed import ok, run

pytestmark = [pytest.mark.thorough, asks_an_index]

DJANGO = """
import django, django_neon
from django.conf import settings
settings.configure(DEBUG=True, DATABASES={"default": django_neon.database()})
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT current_database()")
    print(cursor.fetchone()[0])
"""

FASTAPI = """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI
from fastapi_neon import Neon
neon = Neon()
app = FastAPI(lifespan=neon.lifespan)
async def main():
    async with neon.lifespan(app), asynccontextmanager(neon.connection)() as connection:
        cursor = await connection.execute("SELECT current_database()")
        print((await cursor.fetchone())[0])
asyncio.run(main())
"""

TEST = """
def test_it(neon_connection):
    assert neon_connection.execute("SELECT 6 * 7").fetchone() == (42,)
"""


def test_the_adapters_use_what_it_made_and_name_it_when_that_is_stopped(
    dist: Dist, tmp_path: Path, neonup_home: Path
) -> None:
    shell = clean_environ(neonup_home, HOME=str(tmp_path))
    tool = empty_environment(tmp_path / ".local/pipx/venvs/neonup", dist, shell)
    tool.install("neonup[local,cloud]")
    (tool.folder / "pipx_metadata.json").touch()
    command = tmp_path / ".local/bin/neonup"
    command.parent.mkdir()
    command.symlink_to(tool.neonup)
    project = tmp_path / "shop"
    project.mkdir()
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    (project / "test_it.py").write_text(TEST)
    path = os.pathsep.join([str(command.parent), shell["PATH"]])
    own = empty_environment(project / ".venv", dist, {**shell, "PATH": path})
    own.install("neonup[django,fastapi,pytest]", "psycopg[binary,pool]", "fastapi")
    assert run([own.python, "-c", "import neonup_local"], project, own.environ).returncode == 1
    programs = [[own.python, "-c", code] for code in (DJANGO, FASTAPI)]

    assert "created a local Postgres" in ok([str(command)], project, shell)
    url = dotenv_values(project / ".env")["DATABASE_URL"]
    assert url
    name = url.rpartition("/")[2]
    for program in programs:
        assert ok(program, project, own.environ).splitlines()[-1] == name
    assert "found a local database" in ok([own.neonup], project, own.environ)
    tests = [own.python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    needs = run(tests, project, own.environ)
    assert 'pip install "neonup[local]", or set NEONUP_TEST_SERVER' in needs.stdout + needs.stderr
    server = {**own.environ, "NEONUP_TEST_SERVER": f"{url.removesuffix(name)}postgres"}
    assert "1 passed" in ok(tests, project, server)

    ok([str(command), "stop"], project, shell)
    for program in [*programs, [own.neonup]]:
        done = run(program, project, own.environ)
        assert done.returncode == 1
        assert "nothing listens at 127.0.0.1:" in done.stderr
        assert f"or use the neonup of another environment: {command}" in done.stderr
    ok([str(command)], project, own.environ)
    for program in programs:
        assert ok(program, project, own.environ).splitlines()[-1] == name
    refused = run([own.neonup, "destroy", "--yes"], project, own.environ)
    assert refused.returncode == 1
    assert str(command) in refused.stderr
    ok([str(command), "destroy", "--yes"], project, own.environ)
    assert "DATABASE_URL" not in dotenv_values(project / ".env")
