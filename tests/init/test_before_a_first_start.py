"""What a start says before it creates a database that the project's code would not find."""

from __future__ import annotations

import os

from tests.init.conftest import StrangersProject

PARTS = "import os\nH = os.environ['POSTGRES_HOST']\nU = os.environ['POSTGRES_USER']\n"
URL = "postgresql://me:secret@127.0.0.1:1/shop"


def test_the_banner_names_what_the_project_reads_instead(project: StrangersProject) -> None:
    project.write({"config.py": PARTS})
    said = project.ok()
    assert said.count("`neonup init`") == 1
    assert "the project reads POSTGRES_HOST, POSTGRES_USER (config.py:2)" in said
    assert "`neonup init`" not in project.ok(), "it is said once"
    project.ok("destroy", "--yes")
    project.ok("init", "--yes")
    assert "`neonup init`" not in project.ok(), "nothing is missing"
    assert project.variables["POSTGRES_USER"]


def test_a_program_says_it_too(project: StrangersProject) -> None:
    project.write({"config.py": PARTS})
    done = project.python("import neonup; neonup.ensure()", NEONUP_ENV="development")
    assert "the project reads POSTGRES_HOST" in done.stderr
    assert done.returncode == 0, done.stderr


def test_a_project_that_reads_the_key_hears_nothing(project: StrangersProject) -> None:
    project.write({"config.py": "import os\nURL = os.environ['DATABASE_URL']\n", "alembic.ini": ""})
    assert "neonup init" not in project.ok()


def test_a_key_that_an_application_names_is_its_own(project: StrangersProject) -> None:
    project.write({"config.py": PARTS})
    assert "neonup init" not in project.ok("--key", "OTHER_URL")


def test_a_file_above_with_the_key_is_named_before(project: StrangersProject) -> None:
    above = project.folder.parent / ".env"
    above.write_text(f"DATABASE_URL={URL}\n")
    said = project.ok()
    assert "../.env has a DATABASE_URL already" in said
    assert "secret" not in said
    assert "created a local Postgres" in said
    assert "`neonup destroy` before env_file is ../.env" in project.notes()
    project.ok("destroy", "--yes")
    project.ok("init", "--yes")
    assert 'env_file = "../.env"' in project.pyproject
    assert "found your own database" in project.ok()
    assert above.read_text() == f"DATABASE_URL={URL}\n"


def test_a_file_above_the_repository_is_not(project: StrangersProject) -> None:
    (project.folder.parent.parent / ".env").write_text(f"DATABASE_URL={URL}\n")
    assert "already" not in project.ok()


def test_pipes_above_are_not_waited_for(project: StrangersProject) -> None:
    os.mkfifo(project.folder.parent / ".env")
    assert "created a local Postgres" in project.ok()
