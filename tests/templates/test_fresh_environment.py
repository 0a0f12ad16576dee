"""The README's two commands, word for word, where nothing is installed but Python.

Everything comes from the package index that pip is set up for, but neonup: from this repository.
"""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest

from tests import asking
from tests.environments import CONSTRAINTS, PATIENT_PIP, asks_an_index
from tests.postgres import free_port
from tests.release.building import FOLDERS, ROOT, build
from tests.templates.generated import bare_shell, neonup_new, running

pytestmark = [pytest.mark.thorough, asks_an_index]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distributions of this repository."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in FOLDERS.values():
        build(ROOT / source, folder, "wheel")
    return folder


@pytest.mark.parametrize(
    ("template", "options", "path"),
    [
        ("fastapi", ("--driver", "asyncpg", "--orm", "sqlmodel"), "/notes"),
        ("django", ("--frontend", "api"), "/api/notes"),
        ("provider", (), None),
    ],
)
def test_two_commands_are_all(
    template: str,
    options: tuple[str, ...],
    path: str | None,
    tmp_path: Path,
    neonup_home: Path,
    shell: dict[str, str],
    wheels: Path,
) -> None:
    made = neonup_new(tmp_path, template, "Shop", "-y", *options, environ=shell)
    assert made.returncode == 0, made.stderr
    (folder,) = tmp_path.glob("*shop")
    project = bare_shell(folder, neonup_home)
    places = [str(wheels), *os.environ.get("PIP_FIND_LINKS", "").split()]
    project.environ |= {name: value for name, value in os.environ.items() if name[:4] == "PIP_"}
    project.environ |= {"PIP_FIND_LINKS": " ".join(places), "HOME": os.environ["HOME"]}
    project.environ |= PATIENT_PIP
    project.environ["PIP_CONSTRAINT"] = str(CONSTRAINTS)
    project.environ["PIP_NO_COMPILE"] = "0"  # quicker; 0 switches compiling off, as PIP_NO_ negates
    start, tests, *_ = project.commands
    if path is None:
        assert "nobody said on which server" in project.run(start)
    else:
        port = free_port()
        start += f" --port {port}" if template == "fastapi" else f" {port}"
        with running(start, folder, project.environ) as server:
            server.wait_for(f"http://127.0.0.1:{port}", seconds=1200)
            answered = asking.get(f"http://127.0.0.1:{port}{path}", timeout=60)
            assert answered.raise_for_status().json() == []
    assert " passed" in project.run(tests)
