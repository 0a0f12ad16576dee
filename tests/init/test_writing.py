"""What `neonup init` does to `pyproject.toml`, and when it does nothing."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.init.conftest import StrangersProject

CODE = {"config.py": "import os\nH = os.environ['DB_HOST']\nU = os.environ['DB_USER']\n"}
WANTED = {"variables": {"DB_HOST": "{host}", "DB_USER": "{user}"}}
MANAGE = """
import os
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line()
"""
BEFORE = '# ours\n[project]\nname = "shop"  # the shop\nversion = "1"\n'


def neonup_table(project: StrangersProject) -> object:
    return tomllib.loads(project.pyproject)["tool"]["neonup"]


def test_it_shows_the_change_and_makes_it_where_it_is_told_to(project: StrangersProject) -> None:
    project.write({**CODE, "pyproject.toml": BEFORE})
    assert '+DB_HOST = "{host}"' in project.ok("init", "--yes")
    assert project.pyproject == (
        f'{BEFORE}\n[tool.neonup.variables]\nDB_HOST = "{{host}}"\nDB_USER = "{{user}}"\n'
    )
    assert "proposes nothing" in project.ok("init", "--yes")
    assert not project.env_file.exists()


def test_nothing_is_written_where_nobody_can_be_asked(project: StrangersProject) -> None:
    project.write({**CODE, "pyproject.toml": BEFORE})
    done = project.neonup("init")
    assert done.returncode == 1
    assert '+DB_HOST = "{host}"' in done.stdout
    assert "Nothing was changed" in done.stderr
    project.ok("init", "--dry-run", "--yes")
    assert project.json("init")["written"] is False
    assert project.pyproject == BEFORE
    assert project.json("init", "--yes")["written"] is True
    assert neonup_table(project) == WANTED


@pytest.mark.parametrize(("answer", "changed"), [("y", True), ("n", False)])
def test_a_person_is_asked(answer: str, changed: bool, project: StrangersProject) -> None:
    project.write({**CODE, "pyproject.toml": BEFORE})
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        done = subprocess.run(
            [sys.executable, "-m", "neonup", "init"],
            cwd=project.folder,
            env=project.environ,
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert "Change pyproject.toml?" in done.stderr
    assert done.returncode == (0 if changed else 1)
    assert (project.pyproject != BEFORE) is changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[tool.neonup.variables]\nDB_HOST = "{host}"\nDB_USER = "{user}"\n'),
        (
            '[tool.neonup]\nkey = "X_URL"  # own\n\n# of ruff\n[tool.ruff]\nline-length = 99',
            '[tool.neonup]\nkey = "X_URL"  # own\n\n# of ruff\n[tool.ruff]\nline-length = 99\n\n'
            '[tool.neonup.variables]\nDB_HOST = "{host}"\nDB_USER = "{user}"\n',
        ),
        (
            '[tool.neonup.variables]\nDB_HOST = "{host}:1"\n\n# of ruff\n[tool.ruff]\n',
            '[tool.neonup.variables]\nDB_HOST = "{host}:1"\nDB_USER = "{user}"\n\n# of ruff\n'
            "[tool.ruff]\n",
        ),
    ],
)
def test_what_is_there_stays(before: str, after: str, project: StrangersProject) -> None:
    project.write({**CODE, "pyproject.toml": before})
    project.ok("init", "--yes")
    assert project.pyproject == after
    assert project.json("init")["settings"] == []


def test_missing_settings_go_into_the_table_that_is_there(project: StrangersProject) -> None:
    before = '[tool.neonup]\nbanner = false\n\n[tool.x]\na = """\n[tool.neonup]\n"""\n'
    project.write({"pyproject.toml": before, "alembic.ini": "", "seed.sql": "SELECT 1;"})
    project.ok("init", "--yes")
    assert project.pyproject == before.replace(
        "banner = false\n",
        'banner = false\nmigrate = "alembic upgrade head"\nseed = "seed.sql"\n',
    )


def test_line_ends_links_and_modes_stay(project: StrangersProject) -> None:
    project.write(CODE)
    real = project.folder / "real.toml"
    real.write_bytes(b'[project]\r\nname = "shop"\r\nversion = "1"\r\n')
    real.chmod(0o640)
    (project.folder / "pyproject.toml").unlink()
    (project.folder / "pyproject.toml").symlink_to("real.toml")
    project.ok("init", "--yes")
    assert (project.folder / "pyproject.toml").is_symlink()
    content = real.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") == 7
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_project_without_the_file_gets_one(project: StrangersProject) -> None:
    project.write({**CODE, "manage.py": MANAGE})
    (project.folder / "pyproject.toml").unlink()
    assert "/dev/null" in project.ok("init", "--yes")
    assert neonup_table(project) == {**WANTED, "migrate": "python manage.py migrate"}
    assert (project.folder / "pyproject.toml").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[tool.neonup\n", "is not valid TOML"),
        ('tool.neonup = "x"\n', "is not a table"),
        ("[tool]\nneonup = { banner = false }\n", "not changed automatically"),
    ],
)
def test_a_file_that_cannot_be_added_to_stays(
    content: str, says: str, project: StrangersProject
) -> None:
    project.write({**CODE, "pyproject.toml": content, "alembic.ini": ""})
    assert says in project.fails("init", "--yes")
    assert project.pyproject == content


def test_a_read_only_file_stays(project: StrangersProject) -> None:
    project.write({**CODE, "pyproject.toml": BEFORE})
    file = project.folder / "pyproject.toml"
    file.chmod(0o444)
    assert "read-only" in project.fails("init", "--yes")
    assert project.pyproject == BEFORE


def test_a_member_of_a_workspace_has_settings_of_its_own(project: StrangersProject) -> None:
    root = project.folder.parent
    (root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["backend"]\n')
    project.write({**CODE, "pyproject.toml": BEFORE})
    assert "pyproject.toml" in project.ok("init", "--yes")
    assert neonup_table(project) == WANTED
    above = StrangersProject(Path(root), project.environ)
    assert "root of a workspace (backend)" in above.notes()
    assert above.proposed() == {}
