"""``make operation``: what it writes for an operation that answers 501 today, in a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docsite.operation import CLIENT, EMULATOR, ROOT
from tests.emulator import document

pytestmark = pytest.mark.skipif(
    not document.PATH.exists(), reason="Neon's OpenAPI document is not on this machine"
)
PACKAGES = ("plugins/neonup_cloud", "plugins/neonup_emulator")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the program reads and changes, and what ruff needs to know whose packages these are."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in (*PACKAGES, "core/neonup"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def begin(copy: Path, operation_id: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "docsite.operation", operation_id]
    options = ["--document", str(document.PATH), "--root", str(copy)]
    return subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )


def imported(copy: Path, program: str) -> str:
    """What a program prints that imports the copy's packages."""
    path = os.pathsep.join(str(copy / package) for package in PACKAGES)
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


@pytest.mark.parametrize(
    ("operation_id", "name", "address", "scope"),
    [
        ("getProjectJWKS", "get_project_jwks", "GET /projects/{project_id}/jwks 200", "read"),
        ("addProjectJWKS", "add_project_jwks", "POST /projects/{project_id}/jwks 201", "update"),
    ],
)
def test_what_is_written_is_imported_and_in_style(
    copy: Path, operation_id: str, name: str, address: str, scope: str
) -> None:
    run = begin(copy, operation_id)
    assert run.returncode == 0, run.stderr
    modules = [f"{EMULATOR}/{name}.py", f"{CLIENT}/{name}.py"]
    changed = [f"{EMULATOR}/{one}.py" for one in ("not_here", "routes", "scopes")]
    assert set(run.stdout.split()) == {str(copy / path) for path in modules + changed}
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, *modules, *changed]
        checked = subprocess.run(ruff, cwd=copy, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout
    told = imported(
        copy,
        "from neonup_emulator.api.v2 import routes, scopes, not_here, operations\n"
        f"[it] = [one for one in operations.OPERATIONS if one.id == {operation_id!r}]\n"
        "assert it.id not in not_here.NOT_HERE and routes.__file__.startswith("
        f"{str(copy)!r})\n"
        "print(it.method, it.path, it.status, *scopes.NEEDED[it.id])",
    )
    assert told == f"{address} urn:neoncloud:projects:{scope}"
    groups = f"from neonup_cloud.api.groups import {name} as it; print(it.__file__)"
    assert imported(copy, groups) == str(copy / CLIENT / f"{name}.py")
    for path in modules:
        assert "SCAFFOLD" in (copy / path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("operation_id", "message"),
    [
        ("getProjectWeather", "Neon's document has no operation getProjectWeather"),
        ("getProject", "getProject is not among those that answer 501"),
    ],
)
def test_what_cannot_be_begun_is_refused(copy: Path, operation_id: str, message: str) -> None:
    run = begin(copy, operation_id)
    assert run.returncode == 1
    assert message in run.stderr
