"""`neonup new`: what it asks, refuses and leaves behind."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from neonup.providers.registry import KNOWN
from tests.docs import answers
from tests.project import names
from tests.release.building import FOLDERS
from tests.templates.generated import contents, cookiecutter, neonup_new

TRACEBACK = "Traceback"


@pytest.mark.parametrize(
    ("template", "name", "reason"),
    [
        ("fastapi", "fastapi", "depends on a package of that name"),
        ("django", "Django", "depends on a package of that name"),
        ("provider", "local", "neonup has something of that name"),
        ("fastapi", "2048", "must begin with a letter"),
        ("django", "...", "must begin with a letter"),
        ("provider", "-", "must begin with a letter"),
        ("fastapi", 'a"b', "may have letters"),
        ("fastapi", "../shop", "may have letters"),
        ("django", "{{ 6 * 7 }}", "must begin with a letter"),
        ("django", "a\nb", "may have letters"),
        ("provider", "a" * 31, "may have letters"),
        ("fastapi", "", "may have letters"),
    ],
)
def test_a_name_that_would_not_work_is_refused_with_the_reason(
    template: str, name: str, reason: str, tmp_path: Path, shell: dict[str, str]
) -> None:
    before = names(tmp_path)
    refused = neonup_new(tmp_path, template, "-y", "--", name, environ=shell)
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert "neonup  Nothing was created." in refused.stderr
    assert TRACEBACK not in refused.stderr
    assert names(tmp_path) == before
    plainly = cookiecutter(tmp_path, template, name, {}, shell)
    assert plainly.returncode != 0
    assert reason in plainly.stderr
    assert names(tmp_path) == before


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path, shell: dict[str, str]) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    refused = neonup_new(tmp_path, "fastapi", "Shop", "-y", environ=shell)
    assert refused.returncode == 1
    assert "shop" in refused.stderr
    assert "already exists" in refused.stderr
    assert "--output-dir" in refused.stderr
    assert names(folder) == ["mine.txt"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, shell: dict[str, str]) -> None:
    (tmp_path / "file").write_text("")
    words = ("Shop", "-y", "--output-dir", "file/within")
    refused = neonup_new(tmp_path, "fastapi", *words, environ=shell)
    assert refused.returncode == 1
    assert "Nothing was created" in refused.stderr
    assert TRACEBACK not in refused.stderr


def test_without_a_terminal_nothing_is_asked(tmp_path: Path, shell: dict[str, str]) -> None:
    made = neonup_new(tmp_path, "fastapi", "Shop", "--driver", "ASYNCPG", environ=shell)
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("neonup  created shop\n")
    assert "asyncpg" in (tmp_path / "shop" / "pyproject.toml").read_text("utf-8")


def test_at_a_terminal_it_asks_what_was_not_given(tmp_path: Path, shell: dict[str, str]) -> None:
    terminal, other = pty.openpty()
    words = [sys.executable, "-m", "neonup", "new", "fastapi", "Shop", "--provider", "claimable"]
    process = subprocess.Popen(
        words, cwd=tmp_path, env=shell, stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    os.write(terminal, b"\nsqlmodel\n")
    assert process.wait(120) == 0
    said = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "Where the development database lives" not in said
    assert "The driver" in said
    assert "The models" in said
    generated = (tmp_path / "shop" / "pyproject.toml").read_text("utf-8")
    assert 'provider = "claimable"' in generated
    assert "psycopg" in generated
    assert "sqlmodel" in generated


def test_a_choice_that_is_none_names_those_that_are(tmp_path: Path, shell: dict[str, str]) -> None:
    refused = neonup_new(tmp_path, "django", "Shop", "--frontend", "react", environ=shell)
    assert refused.returncode == 2
    assert "htmx" in refused.stderr.lower()
    assert not (tmp_path / "shop").exists()


def test_programs_get_json(tmp_path: Path, shell: dict[str, str]) -> None:
    made = neonup_new(tmp_path, "django", "My Shop", "--json", "-o", "here", environ=shell)
    answers.check(("new", "django"), json.loads(made.stdout))
    assert json.loads(made.stdout) == {
        "template": "django",
        "folder": str(tmp_path / "here" / "my-shop"),
        "provider": "local",
        "frontend": "HTMX",
    }
    refused = neonup_new(tmp_path, "django", "My Shop", "--json", "-o", "here", environ=shell)
    assert refused.returncode == 1
    assert "already exists" in json.loads(refused.stdout)["error"]["message"]


def test_ones_own_configuration_of_cookiecutter_is_left_alone(
    tmp_path: Path, shell: dict[str, str]
) -> None:
    home = Path(shell["HOME"])
    (home / ".cookiecutterrc").write_text("default_context:\n  orm: SQLModel\n")
    made = neonup_new(tmp_path, "fastapi", "Shop", "-y", environ=shell)
    assert made.returncode == 0, made.stderr
    assert "sqlmodel" not in (tmp_path / "shop" / "pyproject.toml").read_text("utf-8")
    assert names(home) == [".cookiecutterrc"]
    assert names(Path(shell["TMPDIR"])) == []


@pytest.mark.parametrize(
    "name", sorted({*KNOWN, *(name.removeprefix("neonup-") for name in FOLDERS)} - {"neon.new"})
)
def test_a_provider_takes_no_name_of_ours(name: str, tmp_path: Path, shell: dict[str, str]) -> None:
    refused = neonup_new(tmp_path, "provider", name, "-y", environ=shell)
    assert refused.returncode == 1
    assert "neonup has something of that name" in refused.stderr


@pytest.mark.parametrize("template", ["django", "fastapi", "provider"])
def test_what_is_generated_keeps_no_trace_of_its_making(
    template: str, tmp_path: Path, shell: dict[str, str]
) -> None:
    made = neonup_new(tmp_path, template, "Shop", "-y", environ=shell)
    assert made.returncode == 0, made.stderr
    (folder,) = tmp_path.glob("*shop")
    for name, content in contents(folder).items():
        text = content.decode()
        assert not re.search(r"cookiecutter|jinja", name + text, re.I), name
        assert "{{" not in text or name.endswith(".html"), name
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), name
        assert not re.search(r"[ \t]+$", text, re.M), name
        assert "\n\n\n\n" not in text, name
    ignored = (folder / ".gitignore").read_text("utf-8").splitlines()
    assert ".env" in ignored


def test_a_name_is_no_place_for_braces(tmp_path: Path, shell: dict[str, str]) -> None:
    refused = neonup_new(tmp_path, "django", "{{ shop", "-y", environ=shell)
    assert refused.returncode == 1
    assert refused.stderr.startswith("neonup  Nothing was created: ")
    assert TRACEBACK not in refused.stderr
