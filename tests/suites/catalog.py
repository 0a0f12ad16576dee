"""Whose tests are run, in which version, and what each needs to find a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Suite:
    """The tests that a distribution on PyPI brings in its sdist.

    Args:
        name: the distribution.
        version: which one.
        environment: the key in `ENVIRONMENTS` of where it runs.
        tests: pytest's arguments.
        variables: what it reads of its database, as templates of ``[tool.neonup.variables]``.
        environ: more variables, which have nothing to do with the database.
        options: more lines of ``[tool.neonup]``.
        schema: statements for the new database.
        by_run: it is run by ``neonup run --test``: ``tests`` name variables, as it takes the URL on
            its command line.
        files: what is added to its folder, by path: settings that name its database.
        reasons: why outcomes differ, by a pattern of the tests' ids.
    """

    name: str
    version: str
    environment: str
    tests: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    schema: str = ""
    by_run: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


ENVIRONMENTS = {
    "django": (
        "Django==5.2.19",
        "chardet==7.7.0",
        "dj-database-url==3.1.2",
        "django-environ==0.14.0",
        "django-filter==26.2",
        "django-guardian==3.5.2",
        "django-import-export==4.4.3",
        "django-model-utils==5.0.0",
        "django-simple-history==3.13.0",
        "django-treebeard==7.0.3",
        "djangorestframework==3.18.3",
        "psycopg[binary]==3.3.9",
        "pytest==9.2.0",
        "pytest-django==4.14.0",
        "pytz==2026.6",
        "tablib[all]==3.10.0",
        "time-machine==3.6.0",
    ),
    "sqlalchemy": (
        "SQLAlchemy==2.1.9",
        "SQLAlchemy-Utils==0.43.0",
        "aiosqlite==0.22.1",
        "alembic==1.20.1",
        "asyncpg==0.32.0",
        "databases==0.9.0",
        "greenlet==3.5.6",
        "psycopg[binary,pool]==3.3.9",
        "psycopg2-binary==2.9.13",
        "pytest==9.2.0",
        "aiopg==1.4.0",
        "asyncmy==0.2.18",
        "aiomysql==0.3.2",
        "fastapi==0.165.0",
        "flexmock==0.13.0",
        "httpx==0.28.1",
        "pydantic==2.14.4",
        "pytest-asyncio==1.5.0",
        "python-dateutil==4.0.0",
        "pytz==2026.6",
        "pyyaml==6.0.4",
    ),
}
"""What is installed beside neonup, by the environment's name."""


_DJANGO = {
    "POSTGRES_HOST": "{host}",
    "POSTGRES_PORT": "{port}",
    "POSTGRES_USER": "{user}",
    "POSTGRES_PASSWORD": "{password}",
    "POSTGRES_DB": "{database}",
}
_FILTER_SETTINGS = """\
from tests.settings import *
import dj_database_url

DATABASES = {"default": dj_database_url.config()}
"""
_HISTORY_SETTINGS = """\
import dj_database_url
from runtests import DEFAULT_SETTINGS

globals().update(DEFAULT_SETTINGS)
DATABASES = {
    "default": dj_database_url.config(),
    "other": {**dj_database_url.config(), "TEST": {"NAME": "test_other"}},
}
"""

QUICK = ("alembic", "databases", "django-filter", "django-model-utils")
"""Those that CI runs: the four quickest, the longest of them first."""

SUITES = (
    Suite("djangorestframework", "3.18.3", "django", ("tests",), {"DATABASE_URL": "{url}"}),
    Suite("django-model-utils", "5.0.0", "django", ("tests",), _DJANGO),
    Suite(
        "django-treebeard",
        "7.0.3",
        "django",
        ("tests", "--ds=tests.settings"),
        {
            "DATABASE_HOST": "{host}",
            "DATABASE_PORT_POSTGRES": "{port}",
            "DATABASE_USER_POSTGRES": "{user}",
            "DATABASE_PASSWORD": "{password}",
        },
        environ={"DATABASE_ENGINE": "psql"},
    ),
    Suite(
        "django-import-export",
        "4.4.3",
        "django",
        ("tests/core/tests", "--ds=tests.settings"),
        {
            "IMPORT_EXPORT_POSTGRESQL_USER": "{user}",
            "IMPORT_EXPORT_POSTGRESQL_PASSWORD": "{password}",
            "IMPORT_EXPORT_POSTGRESQL_PORT": "{port}",
        },
        environ={"IMPORT_EXPORT_TEST_TYPE": "postgres", "PYTHONPATH": "tests"},
    ),
    Suite(
        "django-filter",
        "26.2",
        "django",
        ("tests", "--ds=suite_settings"),
        {"DATABASE_URL": "{url}"},
        files={"suite_settings.py": _FILTER_SETTINGS},
    ),
    Suite(
        "django-simple-history",
        "3.13.0",
        "django",
        ("simple_history", "--ds=suite_settings", "-o", "python_files=test*.py"),
        {"DATABASE_URL": "{url}"},
        files={"suite_settings.py": _HISTORY_SETTINGS},
    ),
    Suite("django-guardian", "3.5.2", "django", ("guardian",), {"DATABASE_URL": "{url}"}),
    Suite(
        "SQLAlchemy",
        "2.1.9",
        "sqlalchemy",
        ("test/dialect/postgresql", "test/dialect/test_suite.py", "--dburi=$SUITE_URL"),
        {"SUITE_URL": "{sqlalchemy_psycopg_url}"},
        by_run=True,
        schema=(
            "CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2; "
            "CREATE EXTENSION hstore; CREATE EXTENSION citext;"
        ),
        reasons={
            "test_table_using_custom": "an access method takes a superuser to create, which plain "
            "Postgres's role is here and a project's is not; the test skips itself",
        },
    ),
    Suite(
        "alembic",
        "1.20.1",
        "sqlalchemy",
        ("tests", "--dburi=$SUITE_URL", "--backend-only"),
        {"SUITE_URL": "{sqlalchemy_psycopg_url}"},
        by_run=True,
        schema="CREATE SCHEMA test_schema;",
    ),
    Suite("databases", "0.9.0", "sqlalchemy", ("tests",), {"TEST_DATABASE_URLS": "{url}"}),
    Suite(
        "SQLAlchemy-Utils",
        "0.43.0",
        "sqlalchemy",
        ("tests",),
        {
            "SQLALCHEMY_UTILS_TEST_DB": "{database}",
            "SQLALCHEMY_UTILS_TEST_POSTGRESQL_HOST": "{host}:{port}",
            "SQLALCHEMY_UTILS_TEST_POSTGRESQL_USER": "{user}",
            "SQLALCHEMY_UTILS_TEST_POSTGRESQL_PASSWORD": "{password}",
        },
        reasons={
            r"functions\.test_database\.TestDatabasePostgres": "it connects to localhost without a "
            "port, which PGPORT completes: neonup sets it, and nothing does for plain Postgres",
        },
    ),
)
