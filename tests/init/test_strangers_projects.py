"""Projects in the shape of well-known templates: started and tested with what `neonup init` wrote.

No other line of them is for neonup.
"""

from __future__ import annotations

import sys
import tomllib

from tests.init.conftest import StrangersProject
from tests.project import names

FASTAPI = {
    "../.env": "PROJECT_NAME=shop\n",
    "app/__init__.py": "",
    "app/config.py": """
        from pydantic import computed_field
        from pydantic_settings import BaseSettings, SettingsConfigDict
        from sqlalchemy import URL

        class Settings(BaseSettings):
            model_config = SettingsConfigDict(
                # Use top level .env file (one level above ./backend/)
                env_file="../.env",
                env_ignore_empty=True,
                extra="ignore",
            )
            PROJECT_NAME: str
            POSTGRES_SERVER: str
            POSTGRES_PORT: int = 5432
            POSTGRES_USER: str
            POSTGRES_PASSWORD: str = ""
            POSTGRES_DB: str = ""

            @computed_field
            @property
            def SQLALCHEMY_DATABASE_URI(self) -> str:
                return URL.create(
                    "postgresql+asyncpg", self.POSTGRES_USER, self.POSTGRES_PASSWORD,
                    self.POSTGRES_SERVER, self.POSTGRES_PORT, self.POSTGRES_DB,
                ).render_as_string(hide_password=False)

        settings = Settings()
        """,
    "app/main.py": """
        from fastapi import FastAPI
        from sqlalchemy import text
        from sqlalchemy.ext.asyncio import create_async_engine
        from app.config import settings

        engine = create_async_engine(settings.SQLALCHEMY_DATABASE_URI)
        app = FastAPI()

        @app.get("/items")
        async def items() -> int:
            async with engine.connect() as connection:
                return (await connection.execute(text("SELECT count(*) FROM item"))).scalar_one()
        """,
    "alembic.ini": "[alembic]\nscript_location = migrations\nprepend_sys_path = .\n",
    "migrations/env.py": """
        import asyncio
        from alembic import context
        from app.main import engine

        def run(connection):
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()

        async def main():
            async with engine.connect() as connection:
                await connection.run_sync(run)
                await connection.commit()
            await engine.dispose()

        asyncio.run(main())
        """,
    "migrations/versions/1_item.py": """
        from alembic import op
        revision, down_revision = "1", None

        def upgrade():
            op.execute("CREATE TABLE item (name text)")
            op.execute("INSERT INTO item VALUES ('tea')")
        """,
    "tests/conftest.py": """
        import httpx
        import pytest
        from alembic import command, config
        from app.main import app

        @pytest.fixture(scope="session", autouse=True)
        def schema():
            command.upgrade(config.Config("alembic.ini"), "head")

        @pytest.fixture
        async def client():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield client
        """,
    "tests/test_items.py": """
        async def test_items(client):
            assert (await client.get("/items")).json() == 1
        """,
}


def test_an_asynchronous_backend_that_reads_parts_from_the_file_above(
    project: StrangersProject,
) -> None:
    project.write(FASTAPI)
    project.ok("init", "--yes")
    assert tomllib.loads(project.pyproject)["tool"]["neonup"] == {
        "env_file": "../.env",
        "migrate": "alembic upgrade head",
        "variables": {
            "POSTGRES_SERVER": "{host}",
            "POSTGRES_PORT": "{port}",
            "POSTGRES_USER": "{user}",
            "POSTGRES_PASSWORD": "{password}",
            "POSTGRES_DB": "{database}",
        },
    }
    said = project.ok()
    assert "created a local Postgres" in said
    assert "`neonup init`" not in said
    assert ".env" not in names(project.folder)
    code = """
import asyncio
from app.main import items
print(asyncio.run(items()))
"""
    assert project.python(code).stdout == "1\n"
    tested = project.command([sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto"])
    assert "1 passed" in tested.stdout, tested.stdout + tested.stderr


def test_tests_of_a_schema_that_a_command_makes_before_them(project: StrangersProject) -> None:
    """As in full-stack-fastapi-template, whose CI runs Alembic and then pytest."""
    conftest = FASTAPI["tests/conftest.py"]
    made = conftest[conftest.index("@pytest.fixture(scope=") : conftest.index("@pytest.fixture\n")]
    conftest = conftest.replace(made, "").replace("from alembic import command, config", "")
    project.write({**FASTAPI, "tests/conftest.py": conftest})
    project.ok("init", "--yes")
    assert tomllib.loads(project.pyproject)["tool"]["pytest"] == {
        "ini_options": {"neon_migrate": "alembic upgrade head"}
    }
    tested = project.command([sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto"])
    assert "1 passed" in tested.stdout, tested.stdout + tested.stderr
    assert "proposes nothing" in project.ok("init", "--yes")


FLASK = {
    "requirements.txt": "flask\npsycopg[binary]\n",
    "config.py": """
        import os
        from dotenv import load_dotenv
        basedir = os.path.abspath(os.path.dirname(__file__))
        load_dotenv(os.path.join(basedir, ".env"))

        class Config:
            DATABASE = os.environ.get("APP_DB_URI")
        """,
    "app.py": """
        import psycopg
        from flask import Flask
        from config import Config

        app = Flask(__name__)
        app.config.from_object(Config)

        @app.get("/")
        def index():
            with psycopg.connect(app.config["DATABASE"]) as connection:
                return str(connection.execute("SELECT 6 * 7").fetchone()[0])
        """,
    "tests.py": """
        import unittest
        from app import app

        class IndexTest(unittest.TestCase):
            def test_index(self):
                self.assertEqual(app.test_client().get("/").text, "42")
        """,
}


def test_a_flask_application_with_unittest(project: StrangersProject) -> None:
    (project.folder / "pyproject.toml").unlink()
    project.write(FLASK)
    notes = project.notes()
    assert "neonup run --test -- python -m unittest" in notes
    project.ok("init", "--yes")
    assert project.pyproject == '[tool.neonup]\nkey = "APP_DB_URI"\n'
    tested = project.neonup("run", "--test", "--", "python", "-m", "unittest", "tests")
    assert tested.returncode == 0, tested.stderr
    assert not project.env_file.exists()
    project.ok()
    started = project.command([sys.executable, "-m", "unittest", "tests"])
    assert started.returncode == 0, started.stderr


DJANGO = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["django"]\n',
    "manage.py": """
        import os
        import sys

        if __name__ == "__main__":
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
            from django.core.management import execute_from_command_line
            execute_from_command_line(sys.argv)
        """,
    "config/__init__.py": "",
    "config/settings/__init__.py": "",
    "config/settings/base.py": """
        from pathlib import Path
        import environ

        BASE_DIR = Path(__file__).resolve(strict=True).parent.parent.parent
        env = environ.Env()
        READ_DOT_ENV_FILE = env.bool("DJANGO_READ_DOT_ENV_FILE", default=False)
        if READ_DOT_ENV_FILE:
            # OS environment variables take precedence over variables from .env
            env.read_env(str(BASE_DIR / ".env"))
        DATABASES = {"default": env.db("DATABASE_URL")}
        DATABASES["default"]["ATOMIC_REQUESTS"] = True
        INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        USE_TZ = True
        """,
    "config/settings/local.py": """
        from .base import *
        from .base import env
        DEBUG = True
        SECRET_KEY = env("DJANGO_SECRET_KEY", default="insecure")
        """,
}


def test_a_django_site_as_cookiecutter_django_makes_it(project: StrangersProject) -> None:
    project.write(DJANGO)
    assert "DJANGO_READ_DOT_ENV_FILE" in project.notes()
    project.ok("init", "--yes")
    assert tomllib.loads(project.pyproject)["tool"]["neonup"] == {
        "migrate": "python manage.py migrate"
    }
    project.ok()
    assert project.query("SELECT count(*) FROM django_migrations") != "0"
    checked = project.command(
        [sys.executable, "manage.py", "migrate", "--check"], DJANGO_READ_DOT_ENV_FILE="True"
    )
    assert checked.returncode == 0, checked.stderr
    ran = project.neonup("run", "--", sys.executable, "manage.py", "migrate", "--check")
    assert ran.returncode == 0, ran.stderr


def test_an_engine_that_takes_the_url_as_it_is(project: StrangersProject) -> None:
    project.write(
        {
            "database.py": """
            import asyncio
            import os
            from dotenv import load_dotenv
            from sqlalchemy import text
            from sqlalchemy.ext.asyncio import create_async_engine

            load_dotenv()
            engine = create_async_engine(os.environ["DATABASE_URL"])

            async def main():
                async with engine.connect() as connection:
                    print((await connection.execute(text("SELECT 6 * 7"))).scalar_one())

            asyncio.run(main())
            """
        }
    )
    project.ok("init", "--yes")
    project.ok()
    done = project.command([sys.executable, "database.py"])
    assert done.stdout == "42\n", done.stderr


def test_a_plain_project_needs_no_line(project: StrangersProject) -> None:
    before = project.pyproject
    project.write(
        {
            "app.py": """
            import os
            import psycopg
            from dotenv import load_dotenv
            load_dotenv()
            with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
                print(connection.execute("SELECT 6 * 7").fetchone()[0])
            """
        }
    )
    assert "proposes nothing" in project.ok("init", "--yes")
    assert project.pyproject == before
    project.ok()
    assert project.command([sys.executable, "app.py"]).stdout == "42\n"
