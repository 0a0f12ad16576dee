"""Drivers and frameworks connect to what the local Neon hands out."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import sqlalchemy

from tests.emulator.api import Project

DJANGO = """
import sys
import dj_database_url, django
from django.conf import settings
settings.configure(DATABASES={"default": dj_database_url.parse(sys.argv[1])})
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT 42")
    print(cursor.fetchone()[0])
"""


def test_asyncpg(project: Project) -> None:
    """It refuses `channel_binding` in a URL, so that parameter goes."""

    async def ask() -> int:
        connection = await asyncpg.connect(project.url.replace("&channel_binding=require", ""))
        try:
            return int(await connection.fetchval("SELECT 42"))
        finally:
            await connection.close()

    assert asyncio.run(ask()) == 42


def test_sqlalchemy(project: Project) -> None:
    url = project.url.replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT 42")).scalar() == 42
    engine.dispose()


def test_django(project: Project, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DJANGO, project.url],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "42", done.stderr
