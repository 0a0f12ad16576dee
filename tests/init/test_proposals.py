"""What is proposed for code that reads its database in this way or that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.init.conftest import StrangersProject

CODE: dict[str, tuple[str, dict[str, Any]]] = {
    "the default key": ("import os\nURL = os.environ['DATABASE_URL']", {}),
    "another key": ("import os\nURL = os.getenv('SHOP_DB_URL')", {"key": "SHOP_DB_URL"}),
    "the key in a helper's own spelling": (
        "import os\nself.setting_from_env('database_url')\nURL = os.environ['DATABASE_URL']",
        {},
    ),
    "getenv": (
        "from os import getenv\nH, P = getenv('DB_HOST', 'db'), getenv('DB_PASS')",
        {"variables.DB_HOST": "{host}", "variables.DB_PASS": "{password}"},
    ),
    "libpq's": (
        "import os\nh, d = os.environ['PGHOST'], os.environ.get('PGDATABASE')",
        {"variables.PGHOST": "{host}", "variables.PGDATABASE": "{database}"},
    ),
    "decouple": (
        "from decouple import config\nN = config('DATABASE_NAME')\nM = config('MYSQL_HOST')",
        {"variables.DATABASE_NAME": "{database}"},
    ),
    "environs with a prefix": (
        "from environs import Env\nenv = Env()\nwith env.prefixed('DB_'):\n    p = env.int('PORT')",
        {"variables.DB_PORT": "{port}"},
    ),
    "a helper of the project's": (
        "from .helpers import get_env_value\nU = get_env_value('POSTGRES_USERNAME')",
        {"variables.POSTGRES_USERNAME": "{user}"},
    ),
    "pydantic-settings with a prefix": (
        """
        from pydantic_settings import BaseSettings, SettingsConfigDict
        class Common(BaseSettings):
            model_config = SettingsConfigDict(env_prefix="SHOP_", extra="ignore")
        class Settings(Common):
            db_host: str
            db_user: str = "me"
        """,
        {"variables.SHOP_DB_HOST": "{host}", "variables.SHOP_DB_USER": "{user}"},
    ),
    "pydantic-settings with aliases and a nested model": (
        """
        from pydantic import AliasChoices, BaseModel, Field, PostgresDsn
        from pydantic_settings import BaseSettings
        class Db(BaseModel):
            password: str
        class Settings(BaseSettings):
            model_config = {"env_nested_delimiter": "__", "extra": "ignore"}
            db: Db
            where: str = Field(validation_alias=AliasChoices("PG_SERVER", "OLD"))
        """,
        {"variables.DB__PASSWORD": "{password}", "variables.PG_SERVER": "{host}"},
    ),
    "a URL that only its type tells": (
        """
        from pydantic import PostgresDsn
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            storage: PostgresDsn
        """,
        {"key": "STORAGE"},
    ),
    "an asynchronous engine of the URL as it is": (
        """
        import os
        from sqlalchemy.ext.asyncio import create_async_engine
        DATABASE_URL = os.environ["DATABASE_URL"]
        engine = create_async_engine(DATABASE_URL)
        """,
        {"url_scheme": "postgresql+asyncpg"},
    ),
    "an asynchronous engine of a URL that is changed": (
        """
        import os
        from sqlalchemy.ext.asyncio import create_async_engine
        URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")
        engine = create_async_engine(URL)
        """,
        {},
    ),
    "two URLs": (
        """
        import os
        SYNC = os.environ["DATABASE_URL"]
        ASYNC = os.environ["ASYNC_DATABASE_URL"]
        DIRECT = os.environ["DIRECT_URL"]
        """,
        {
            "variables.ASYNC_DATABASE_URL": "{sqlalchemy_asyncpg_url}",
            "variables.DIRECT_URL": "{direct_url}",
        },
    ),
    "parts that stand in for the URL": (
        """
        import environ, os
        env = environ.Env()
        if os.getenv("DATABASE_URL"):
            DATABASES = {"default": env.db("DATABASE_URL")}
        else:
            DATABASES = {"default": {"NAME": env("POSTGRES_DB"), "HOST": env("POSTGRES_HOST")}}
        """,
        {},
    ),
    "a variable that chooses Postgres": (
        """
        import os
        if os.getenv("DB") == "postgres":
            DATABASES = {"HOST": os.getenv("DB_HOST"), "NAME": os.getenv("DB_NAME")}
        """,
        {
            "variables.DB_HOST": "{host}",
            "variables.DB_NAME": "{database}",
            "variables.DB": "postgres",
        },
    ),
    "Django's backend in a variable": (
        """
        import os
        DATABASES = {"default": {
            "ENGINE": os.environ.get("SQL_ENGINE", "django.db.backends.sqlite3"),
            "NAME": os.environ.get("SQL_DATABASE", "db.sqlite3"),
        }}
        """,
        {
            "variables.SQL_ENGINE": "django.db.backends.postgresql",
            "variables.SQL_DATABASE": "{database}",
        },
    ),
    "an env file above": (
        """
        import os
        from dotenv import load_dotenv
        load_dotenv("../.env")
        URL = os.environ["DATABASE_URL"]
        """,
        {"env_file": "../.env"},
    ),
    "an env file beside the code": (
        """
        import os
        from pathlib import Path
        import environ
        BASE_DIR = Path(__file__).resolve().parent
        environ.Env.read_env(os.path.join(BASE_DIR, "conf", ".env"))
        URL = os.environ["DATABASE_URL"]
        """,
        {"env_file": "app/conf/.env"},
    ),
    "the project's env file by its path": (
        """
        import os
        from pathlib import Path
        from dotenv import load_dotenv
        load_dotenv(Path(__file__).parents[1] / ".env")
        URL = os.environ["DATABASE_URL"]
        """,
        {},
    ),
    "an extension that no migration creates": (
        "import os\nfrom pgvector.sqlalchemy import Vector\nURL = os.environ['DATABASE_URL']",
        {"extensions": ["vector"]},
    ),
    "a database of the tests, and another one": (
        "import os\nos.environ['DATABASE_URL']\nos.environ['TEST_DATABASE_URL']\n"
        "os.environ['ANALYTICS_DATABASE_URL']",
        {},
    ),
    "a template, not Python": ("URL = {{ cookiecutter.url }}\nos.environ['DB_HOST'", {}),
}


@pytest.mark.parametrize("name", CODE)
def test_settings_follow_from_what_the_code_reads(name: str, project: StrangersProject) -> None:
    code, expected = CODE[name]
    project.write({"app/config.py": code})
    assert project.proposed() == expected
    assert not project.env_file.exists()


def test_each_line_names_the_place_that_it_comes_from(project: StrangersProject) -> None:
    project.write({"app/config.py": "import os\n\nHOST = os.environ['DB_HOST']\n"})
    (line,) = project.json("init")["settings"]
    assert (line["file"], line["line"]) == ("app/config.py", 3)
    assert "app/config.py:3 reads DB_HOST" in project.ok("init", "--dry-run")


def test_other_databases_and_those_of_tests_are_named_and_left_alone(
    project: StrangersProject,
) -> None:
    project.write({"app/config.py": CODE["a database of the tests, and another one"][0]})
    notes = project.notes()
    assert "reads TEST_DATABASE_URL: left alone" in notes
    assert "reads ANALYTICS_DATABASE_URL: left alone" in notes


def test_the_scheme_of_the_example_is_the_scheme(project: StrangersProject) -> None:
    project.write(
        {
            "config.py": "import os\nURL = os.environ['DB_URL']",
            ".env.example": "DEBUG=1\nDB_URL=postgresql+psycopg://me:secret@localhost/shop\n",
        }
    )
    assert project.proposed() == {"key": "DB_URL", "url_scheme": "postgresql+psycopg"}
    assert project.json("init")["settings"][1]["line"] == 2


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"alembic.ini": "[alembic]\n"}, "alembic upgrade head"),
        (
            {"src/alembic.ini": "[alembic]\nscript_location = migrations\n"},
            "sh -c 'cd src && alembic upgrade head'",
        ),
        (
            {"src/alembic.ini": "[alembic]\nscript_location = %(here)s/migrations\n"},
            "alembic -c src/alembic.ini upgrade head",
        ),
        (
            {
                "conf/alembic.ini": "[alembic]\nscript_location = shop/migrations\n",
                "shop/migrations/env.py": "",
            },
            "alembic -c conf/alembic.ini upgrade head",
        ),
        (
            {
                "migrations/alembic.ini": "",
                "migrations/env.py": "",
                "shop.py": "import flask_migrate, flask\napp = flask.Flask(__name__)\n",
            },
            "flask --app shop db upgrade",
        ),
        (
            {"manage.py": "import django\n", "shop/settings.py": "import environ, django\n"},
            "python manage.py migrate",
        ),
        ({"pyproject.toml": "[tool.aerich]\n"}, "aerich upgrade"),
    ],
)
def test_the_migration_command(
    files: dict[str, str], command: str, project: StrangersProject
) -> None:
    project.write(files)
    assert project.proposed() == {"migrate": command}


@pytest.mark.parametrize(
    "conftest",
    [
        "from alembic import command\n",
        "async def schema(c):\n    await c.run_sync(Base.metadata.create_all)\n",
        "from shop.model import create_model\ncreate_model(engine)\n",
    ],
)
def test_tests_that_make_their_schema_need_no_line(
    conftest: str, project: StrangersProject
) -> None:
    project.write(
        {
            "alembic.ini": "[alembic]\n",
            "tests/test_it.py": "def test_it(): ...",
            "tests/conftest.py": conftest,
            "shop/model.py": "def create_model(bind):\n    Base.metadata.create_all(bind)\n",
        }
    )
    assert project.proposed() == {"migrate": "alembic upgrade head"}


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"pytest.ini": "[pytest]\n"},
        {"tox.ini": "[pytest]\n"},
        {"setup.cfg": "[tool:pytest]\n"},
        {"pyproject.toml": "[tool.pytest]\nminversion = '9'\n"},
    ],
)
def test_settings_of_pytest_that_are_elsewhere_are_named(
    elsewhere: dict[str, str], project: StrangersProject
) -> None:
    tests = {"alembic.ini": "[alembic]\n", "tests/test_it.py": "def test_it(): ..."}
    project.write({**tests, **elsewhere, "app.py": "import os\nos.environ['DATABASE_URL']\n"})
    assert project.proposed() == {"migrate": "alembic upgrade head"}
    assert "`neon_migrate = alembic upgrade head` in pytest's ini options" in project.notes()
    project.write({name: f"{text}neon_migrate = 'x'\n" for name, text in elsewhere.items()})
    assert "neon_migrate" not in project.notes()


def test_compose_files_and_examples_alone_are_no_reason_to_set_variables(
    project: StrangersProject,
) -> None:
    project.write(
        {
            "compose.yaml": """
                services:
                  db:
                    image: postgres:17-alpine
                    environment:
                      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?}
                """,
            "app.py": "import os\nURL = os.environ['DATABASE_URL']\n",
        }
    )
    assert project.proposed() == {}
    assert "compose.yaml:3 runs Postgres 17" in project.notes()


def test_settings_that_refuse_the_key_are_named(project: StrangersProject) -> None:
    project.write(
        {
            "config.py": """
            from pydantic_settings import BaseSettings
            class Settings(BaseSettings):
                model_config = {"env_file": ".env"}
                POSTGRES_HOST: str
            """
        }
    )
    assert "config.py:2: Settings refuses lines of its env file" in project.notes()


def test_a_file_that_is_read_only_by_a_switch_is_named(project: StrangersProject) -> None:
    project.write(
        {
            "settings.py": """
            import environ
            env = environ.Env()
            READ = env.bool("DJANGO_READ_DOT_ENV_FILE", default=False)
            if READ:
                env.read_env(".env")
            DATABASES = {"default": env.db()}
            """
        }
    )
    assert "only where DJANGO_READ_DOT_ENV_FILE is set" in project.notes()


def test_projects_below_are_left_out_and_named(project: StrangersProject) -> None:
    project.write(
        {
            "service/pyproject.toml": "",
            "service/app.py": "import os\nH = os.environ['DB_HOST']",
            "site/manage.py": "",
            "site/settings.py": "import os\nH = os.environ['PGHOST']",
        }
    )
    assert project.proposed() == {}
    assert "projects of their own below this folder: service, site" in project.notes()


def test_nothing_of_the_project_is_run(project: StrangersProject) -> None:
    project.write(
        {
            "config.py": "import os, pathlib\npathlib.Path('ran').touch()\nos.environ['DB_HOST']",
            "conftest.py": "raise SystemExit('ran')\n",
        }
    )
    assert project.proposed() == {"variables.DB_HOST": "{host}"}
    assert not (project.folder / "ran").exists()


def test_links_pipes_and_files_without_letters_are_no_obstacle(project: StrangersProject) -> None:
    import os

    project.write({"config.py": "import os\nH = os.environ['DB_HOST']"})
    os.mkfifo(project.folder / "pipe.py")
    (project.folder / "self").symlink_to(project.folder, target_is_directory=True)
    (project.folder / "nowhere.py").symlink_to("missing.py")
    (project.folder / "bytes.py").write_bytes(b"environ = '\xff\xfe\x00'")
    assert project.proposed() == {"variables.DB_HOST": "{host}"}


def test_a_path_that_is_computed_is_not_guessed(project: StrangersProject) -> None:
    project.write(
        {
            "config.py": """
            import os
            from pydantic_settings import BaseSettings
            class Settings(BaseSettings):
                model_config = {"env_file": f".env.{os.environ['STAGE']}", "extra": "ignore"}
                DB_HOST: str
            """
        }
    )
    assert project.proposed() == {"variables.DB_HOST": "{host}"}
    assert "config.py:4 reads an env file by a path that is computed" in project.notes()


def test_odd_code_is_read_as_far_as_it_goes(project: StrangersProject) -> None:
    project.write(
        {
            "circle.py": """
            import os
            from dotenv import load_dotenv
            A = B
            B = A
            load_dotenv(A)
            H = os.environ["DB_HOST"]
            """,
            "deep.py": f"import os\nU = os.environ['DB_USER']\nx = {'+'.join(['os'] * 3000)}\n",
            "classes.py": """
            from pydantic_settings import BaseSettings
            class A(B):
                pass
            class B(A, BaseSettings):
                a: "A"
                model_config = {"env_nested_delimiter": "_"}
            """,
            "calls.py": """
            import os
            os.environ[0]; os.getenv(); env(); config(*x); load_dotenv(*x); create_engine(*y)
            load_dotenv(Path(__file__).parents[99])
            match os.environ:
                case _:
                    pass
            """,
        }
    )
    assert project.proposed()["variables.DB_HOST"] == "{host}"
