"""Applications that read their settings, and make their engine, while they are imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fastapi.served import RELOAD, UVICORN, Served, argv, fails_to_start, serving
from tests.postgres import free_port
from tests.project import Project

SETTINGS = """
{first}from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")
    database_url: str


settings = Settings()
"""

MAIN = """
import neonup
from fastapi import FastAPI
from settings import settings
from sqlalchemy import create_engine, text

engine = create_engine(neonup.sqlalchemy_url(settings.database_url), pool_pre_ping=True)
app = FastAPI()


@app.get("/")
def tables():
    with engine.connect() as connection:
        return connection.scalars(text("SELECT tablename::text FROM pg_tables "
            "WHERE schemaname = 'public' ORDER BY 1")).all()
"""

MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade():
    op.create_table("items", sa.Column("id", sa.Integer, primary_key=True))
"""


def write(project: Project, first: str) -> None:
    (project.folder / "settings.py").write_text(SETTINGS.format(first=first))
    (project.folder / "main.py").write_text(MAIN)


@pytest.fixture
def auto_project(project: Project) -> Project:
    write(project, "import neonup.auto\n")
    return project


def test_one_import_above_makes_the_database(auto_project: Project) -> None:
    for verb in ("created", "found"):
        with serving(auto_project, RELOAD) as served:
            assert served.answer() == []
            assert f"neonup  {verb} a local Postgres" in served.said
            assert served.banners == 1


def test_with_fastapi_dev_too_which_imports_it_twice(auto_project: Project) -> None:
    with serving(auto_project, ("fastapi", "dev", "main.py")) as served:
        assert served.answer() == []
        assert served.banners == 1


def test_four_workers_share_it(auto_project: Project, neonup_home: Path) -> None:
    command = (*UVICORN, "--workers", "4")
    with serving(auto_project, command, NEONUP_ENV="development") as served:
        assert served.answer() == []
        assert served.banners == 1
    assert len(list((neonup_home / "databases").iterdir())) == 1


def test_in_production_it_says_what_to_set(auto_project: Project) -> None:
    said = fails_to_start(auto_project, UVICORN)
    assert "Set DATABASE_URL" in said
    assert not auto_project.env_file.exists()


def test_neonup_run_needs_nothing_in_the_code(project: Project) -> None:
    write(project, "")
    port = free_port()
    log = project.folder.parent / "served.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "neonup", "run", "--", *argv(UVICORN, port)],
            cwd=project.folder,
            env={**project.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    served = Served(process, port, log)
    try:
        served.wait_until_it_answers()
        assert served.answer() == []
    finally:
        process.terminate()
        process.wait(120)


def test_alembic_migrates_past_the_pooler(auto_project: Project) -> None:
    done = auto_project.command([sys.executable, "-m", "alembic", "init", "migrations"])
    assert done.returncode == 0, done.stderr
    env = auto_project.folder / "migrations" / "env.py"
    text = env.read_text()
    assert "config = context.config\n" in text
    env.write_text(
        text.replace(
            "config = context.config\n",
            "import neonup\nconfig = context.config\n"
            'url = neonup.sqlalchemy_url(direct=True).replace("%", "%%")\n'
            'config.set_main_option("sqlalchemy.url", url)\n',
        )
    )
    (auto_project.folder / "migrations" / "versions" / "1_items.py").write_text(MIGRATION)
    done = auto_project.command(
        [sys.executable, "-m", "alembic", "upgrade", "head"], NEONUP_ENV="development"
    )
    assert done.returncode == 0, done.stderr
    with serving(auto_project, RELOAD) as served:
        assert served.answer() == ["alembic_version", "items"]
