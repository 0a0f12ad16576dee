"""An application in ``backend/`` that reads ``POSTGRES_*`` from ``../.env`` and knows no neonup."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.project import Project, clean_environ

PYPROJECT = """
[tool.neonup]
env_file = "../.env"

[tool.neonup.variables]
POSTGRES_SERVER = "{host}"
POSTGRES_PORT = "{port}"
POSTGRES_USER = "{user}"
POSTGRES_PASSWORD = "{password}"
POSTGRES_DB = "{database}"
"""
APP = """
from fastapi import FastAPI
from pydantic import PostgresDsn
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import create_engine, text


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file="../.env", env_ignore_empty=True, extra="ignore")
    PROJECT_NAME: str
    POSTGRES_SERVER: str
    POSTGRES_PORT: int = 5432
    POSTGRES_USER: str
    POSTGRES_PASSWORD: str = ""
    POSTGRES_DB: str = ""


settings = Settings()
engine = create_engine(str(PostgresDsn.build(
    scheme="postgresql+psycopg",
    username=settings.POSTGRES_USER,
    password=settings.POSTGRES_PASSWORD,
    host=settings.POSTGRES_SERVER,
    port=settings.POSTGRES_PORT,
    path=settings.POSTGRES_DB,
)))
app = FastAPI(title=settings.PROJECT_NAME)


@app.get("/items")
def items():
    with engine.connect() as connection:
        return connection.scalars(text("SELECT name FROM item")).all()
"""
ASK = """
from fastapi.testclient import TestClient
from main import app

print(TestClient(app).get("/items").json())
"""
UNIT = """
import unittest
from sqlalchemy import text
from main import engine


class Items(unittest.TestCase):
    def test_that_empties_a_table(self):
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE item"))
"""


@pytest.fixture
def backend(tmp_path: Path, neonup_home: Path) -> Project:
    folder = tmp_path / "shop" / "backend"
    folder.mkdir(parents=True)
    (folder.parent / ".git").mkdir()
    (folder.parent / ".env").write_text("PROJECT_NAME=shop\n")
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "main.py").write_text(APP)
    (folder / "ask.py").write_text(ASK)
    (folder / "test_unit.py").write_text(UNIT)
    (folder / "seed.sql").write_text("CREATE TABLE item (name text); INSERT INTO item VALUES ('a')")
    return Project(folder, clean_environ(neonup_home, NEONUP_SEED="seed.sql"))


def ask(backend: Project) -> str:
    done = backend.command([sys.executable, "ask.py"])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_finds_its_database_also_on_another_port(backend: Project) -> None:
    backend.ok()
    assert ask(backend) == "['a']"
    backend.ok("stop")
    port = dotenv_values(backend.folder.parent / ".env")["POSTGRES_PORT"]
    with socket.create_server(("127.0.0.1", int(port or 0))):
        backend.ok()
        assert ask(backend) == "['a']"
    backend.ok("destroy", "--yes")
    assert (backend.folder.parent / ".env").read_text() == "PROJECT_NAME=shop\n"
    assert not backend.env_file.exists()


def test_its_unittests_leave_the_database_of_development_alone(backend: Project) -> None:
    backend.ok()
    backend.ok("run", "--test", "--", sys.executable, "-m", "unittest", "test_unit")
    assert ask(backend) == "['a']"
