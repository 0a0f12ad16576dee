"""A start says how many of Alembic's migrations the database lacks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project import Project

INI = "[alembic]\nscript_location = %(here)s/migrations\npath_separator = os\n"

ENV = """
from alembic import context
from sqlalchemy import create_engine
import neonup

with create_engine(neonup.sqlalchemy_url(direct=True)).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""

START = "import neonup; neonup.ensure()"


def add(project: Project, revision: str, before: str, folder: str = "migrations") -> None:
    """Add a migration to the project, as Alembic's own template writes it."""
    versions = project.folder / folder / "versions"
    versions.mkdir(exist_ok=True, parents=True)
    (versions / f"{revision}_more.py").write_text(
        f'"""More."""\nfrom typing import Sequence, Union\n\n'
        f'revision: str = "{revision}"\ndown_revision: Union[str, None] = {before}\n'
        "branch_labels: Union[str, Sequence[str], None] = None\ndepends_on = None\n\n\n"
        "def upgrade() -> None:\n    pass\n"
    )


def configure(project: Project, migrate: str, more: str = "") -> None:
    """Write the project's settings."""
    (project.folder / "pyproject.toml").write_text(f'[tool.neonup]\nmigrate = "{migrate}"\n{more}')


@pytest.fixture
def migrated(project: Project) -> Project:
    """A project with one migration, which its database has."""
    (project.folder / "alembic.ini").write_text(INI)
    add(project, "a1", "None")
    (project.folder / "migrations" / "env.py").write_text(ENV)
    configure(project, "alembic upgrade head")
    assert "created" in project.ok()
    return project


def test_how_many_and_the_command(migrated: Project) -> None:
    assert "not applied" not in migrated.python(START).stderr
    add(migrated, "b2", '"a1"')
    said = migrated.python(START).stderr
    assert "1 migration is not applied: alembic upgrade head" in said
    add(migrated, "c3", '"a1"')
    add(migrated, "d4", '("b2", "c3")')
    assert "3 migrations are not applied: alembic upgrade head" in migrated.ok()
    done = migrated.python("import runpy, sys; sys.argv = ['alembic', 'upgrade', 'b2']\n" + RUN)
    assert done.returncode == 0, done.stderr
    assert "2 migrations are not applied" in migrated.python(START).stderr


RUN = "from alembic.config import main; main(sys.argv[1:])"


def test_alembic_itself_does_not_say_so(migrated: Project) -> None:
    add(migrated, "b2", '"a1"')
    upgrade = [sys.executable, "-m", "alembic", "upgrade", "head"]
    for command in (upgrade, [sys.executable, "-m", "neonup", "run", "--", *upgrade]):
        done = subprocess.run(
            [*command, "--sql"],  # which changes nothing
            cwd=migrated.folder, env=migrated.environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "neonup  found" in done.stderr
        assert "not applied" not in done.stderr


def test_a_database_of_another_git_branch_has_more(migrated: Project) -> None:
    add(migrated, "b2", '"a1"')
    (migrated.folder / "migrations" / "versions" / "a1_more.py").unlink()
    assert "not applied" not in migrated.ok()


@pytest.mark.parametrize(
    ("migrate", "folder", "files"),
    [
        (
            "alembic -c db/alembic.ini upgrade head",
            "db/migrations",
            {"db/alembic.ini": INI},
        ),
        (
            "sh -c 'cd backend && uv run alembic upgrade head'",
            "backend/migrations",
            {"backend/alembic.ini": INI.replace("%(here)s/", "")},
        ),
        ("flask --app shop db upgrade", "migrations", {}),
        ("flask db upgrade --directory db", "db", {}),
    ],
)
def test_where_the_migrations_are(
    migrated: Project, migrate: str, folder: str, files: dict[str, str]
) -> None:
    for name in ("alembic.ini", "migrations/versions/a1_more.py"):
        (migrated.folder / name).unlink()
    for name, text in files.items():
        path = migrated.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    add(migrated, "a1", "None", folder)
    add(migrated, "b2", "'a1'", folder)
    configure(migrated, migrate)
    assert f"1 migration is not applied: {migrate}" in migrated.ok()


def test_settings_of_pyproject(migrated: Project) -> None:
    (migrated.folder / "alembic.ini").unlink()
    add(migrated, "b2", '"a1"')
    configure(
        migrated,
        "alembic upgrade head",
        '[tool.alembic]\nscript_location = "%(here)s/migrations"\n',
    )
    assert "1 migration is not applied" in migrated.ok()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "alembic.ini").write_text("no section"),
        lambda folder: (folder / "alembic.ini").write_text(INI + "version_locations = a:b\n"),
        lambda folder: (folder / "migrations" / "versions" / "e5.py").write_text("def ("),
        lambda folder: (folder / "pyproject.toml").write_text(
            '[tool.neonup]\nmigrate = "python migrate.py"\n'
        ),
        lambda folder: (folder / "pyproject.toml").write_text(
            '[tool.neonup]\nmigrate = "alembic upgrade head"\nenv = "production"\n'
        ),
    ],
    ids=["ini", "locations", "file", "another command", "production"],
)
def test_nothing_where_it_cannot_be_told(
    migrated: Project, spoil: Callable[[Path], object]
) -> None:
    add(migrated, "b2", '"a1"')
    spoil(migrated.folder)
    said = migrated.python(START)
    assert said.returncode == 0, said.stderr
    assert "not applied" not in said.stderr


def test_a_table_of_another_name(migrated: Project) -> None:
    migrated.query("ALTER TABLE alembic_version RENAME TO versions")
    add(migrated, "b2", '"a1"')
    assert "not applied" not in migrated.ok()


def test_a_database_of_ones_own_is_not_asked(migrated: Project, tmp_path: Path) -> None:
    add(migrated, "b2", '"a1"')
    url = migrated.url
    said = migrated.python(START, DATABASE_URL=url + "?application_name=mine").stderr
    assert "not applied" not in said
