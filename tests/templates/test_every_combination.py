"""The projects that the templates can make: made, started, asked, tested, linted.

The first three are part of every run, the rest of ``make templates``. All combinations of the
answers are ten more; what is in those is in these, as a test sees.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests import asking
from tests.neon_new_server import NeonNewServer
from tests.postgres import free_port
from tests.templates.generated import Generated, combinations, contents, cookiecutter, neonup_new

ALWAYS = [
    ("fastapi", {"provider": "local", "driver": "psycopg", "orm": "SQLAlchemy"}),
    ("django", {"provider": "local", "frontend": "HTMX"}),
    ("provider", {}),
]
TRIED = [  # each two answers to a template's questions stand together in one of them
    *ALWAYS,
    ("fastapi", {"provider": "local", "driver": "asyncpg", "orm": "SQLModel"}),
    ("fastapi", {"provider": "claimable", "driver": "asyncpg", "orm": "SQLAlchemy"}),
    ("fastapi", {"provider": "claimable", "driver": "psycopg", "orm": "SQLModel"}),
    ("django", {"provider": "claimable", "frontend": "API"}),
]
SEVERAL_ANSWERS = {"pyproject.toml", "README.md"}
"""Files whose parts follow from different answers, and are told apart by line."""


def _cases() -> list[object]:
    return [
        pytest.param(
            template,
            answers,
            id="-".join([template, *answers.values()]),
            marks=() if (template, answers) in ALWAYS else pytest.mark.thorough,
        )
        for template, answers in TRIED
    ]


@pytest.mark.thorough
@pytest.mark.parametrize("template", ["fastapi", "django"])
def test_no_other_combination_has_anything_that_is_not_tried(
    template: str, tmp_path: Path, shell: dict[str, str]
) -> None:
    made = {}
    for number, answers in enumerate(combinations(template)):
        place = tmp_path / str(number)
        place.mkdir()
        options = [word for key, value in answers.items() for word in (f"--{key}", value)]
        done = neonup_new(place, template, "Shop", "-y", *options, environ=shell)
        assert done.returncode == 0, done.stderr
        parts = {
            (path, part)
            for path, content in contents(place / "shop").items()
            for part in (content.splitlines() if path in SEVERAL_ANSWERS else [content])
        }
        made[(template, answers) in TRIED, number] = parts
    tried = set().union(*(parts for (known, _), parts in made.items() if known))
    assert tried >= set().union(*made.values())
    assert len({*map(frozenset, made.values())}) == len(combinations(template))


@pytest.mark.parametrize(("template", "answers"), _cases())
def test_it_does_what_its_readme_says(
    template: str,
    answers: dict[str, str],
    tmp_path: Path,
    neonup_home: Path,
    neon_new_server: NeonNewServer,
    shell: dict[str, str],
    mypy_cache: str,
) -> None:
    folder = _make(tmp_path, template, answers, shell)
    project = Generated.at(folder, neonup_home, CLAIMABLE_NEON_HOST=neon_new_server.claimable)
    start, tests, *_ = project.commands
    assert tests == ".venv/bin/pytest"
    if template == "provider":
        assert re.search(r"provider +joes-cafe: nobody said on which server", project.run(start))
    else:
        _ask(project, start, template, answers)
        assert f"provider={answers['provider']} " in (folder / ".env").read_text("utf-8")
    assert " passed" in project.run(tests)
    if template != "provider":
        _change_a_table(project, template, answers)
    activated = f"{folder / '.venv' / 'bin'}:{project.environ['PATH']}"
    for command in project.workflow:
        project.run(command, CI="true", PATH=activated, MYPY_CACHE_DIR=mypy_cache)
    assert "pytest" in project.workflow[-1]


def _make(tmp_path: Path, template: str, answers: dict[str, str], shell: dict[str, str]) -> Path:
    """The project, made by both commands, which must make the same."""
    name = "Joes Café" if template == "provider" else "Joe's Café"
    by_neonup, by_cookiecutter = tmp_path / "neonup", tmp_path / "cookiecutter"
    for place in (by_neonup, by_cookiecutter):
        place.mkdir()
    options = [word for key, value in answers.items() for word in (f"--{key}", value)]
    made = neonup_new(by_neonup, template, name, "-y", *options, environ=shell)
    assert made.returncode == 0, made.stderr
    same = cookiecutter(by_cookiecutter, template, name, answers, shell)
    assert same.returncode == 0, same.stderr
    assert contents(by_neonup) == contents(by_cookiecutter)
    (folder,) = by_neonup.iterdir()
    assert folder.name == ("neonup-joes-cafe" if template == "provider" else "joes-cafe")
    assert ".venv/bin/" in made.stdout
    return folder


def _ask(project: Generated, start: str, template: str, answers: dict[str, str]) -> None:
    """Start it on a port of its own, and add a note."""
    port = free_port()
    start += f" --port {port}" if template == "fastapi" else f" {port}"
    url = f"http://127.0.0.1:{port}"
    with project.running(start) as server, asking.client(base_url=url, timeout=60) as client:
        server.wait_for(url)
        if answers.get("frontend") == "HTMX":
            _ask_pages(client)
        else:
            _ask_api(client, "/notes" if template == "fastapi" else "/api/notes")
        assert "neonup  created a" in server.said


def _change_a_table(project: Generated, template: str, answers: dict[str, str]) -> None:
    """As the README says; the project's own test tells whether models and migrations agree."""
    models, old, new, *commands = _CHANGES[template]
    if answers.get("orm") == "SQLModel":
        old, new = "    created_at: datetime | None", "    colour: str | None = None\n"
    path = project.folder / models
    before = path.read_text("utf-8")
    assert old in before
    path.write_text(before.replace(old, new + old), "utf-8")
    for command in commands:
        assert command.removeprefix(".venv/bin/") in (project.folder / "README.md").read_text(
            "utf-8"
        )
        project.run(command.replace("...", "Colours"))


_CHANGES = {
    "fastapi": (
        "app/models.py",
        "    created_at: Mapped[datetime]",
        "    colour: Mapped[str | None]\n",
        '.venv/bin/alembic revision --autogenerate -m "..."',
        ".venv/bin/alembic upgrade head",
    ),
    "django": (
        "notes/models.py",
        "    created_at = models",
        '    colour = models.CharField(max_length=20, default="", blank=True)\n',
        ".venv/bin/python manage.py makemigrations",
        ".venv/bin/python manage.py migrate",
    ),
}


def _ask_api(client: httpx.Client, path: str) -> None:
    assert client.get(path).raise_for_status().json() == []
    added = client.post(path, json={"text": "Buy milk"}).raise_for_status().json()
    assert [note["id"] for note in client.get(path).json()] == [added["id"]]


def _ask_pages(client: httpx.Client) -> None:
    page = client.get("/").raise_for_status().text
    for source in re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]*)"', page):
        assert source.startswith("/static/")
        client.get(source).raise_for_status()
    token = {"X-CSRFToken": client.cookies["csrftoken"], "HX-Request": "true"}
    part = client.post("/add", data={"text": "Buy milk"}, headers=token).raise_for_status()
    assert "Buy milk" in part.text
    assert "Buy milk" in client.get("/").text
