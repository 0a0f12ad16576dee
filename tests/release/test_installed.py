"""The distributions in environments that were empty, on each Python that is here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.environments import asks_an_index
from tests.neon_new_server import NeonNewServer
from tests.project import clean_environ
from tests.release.building import PACKAGE_FOLDERS
from tests.release.conftest import Dist
from tests.release.environments import PYTHONS, Environment, empty_environment, interpreter

pytestmark = [pytest.mark.thorough, asks_an_index]

NEEDS = {
    "local": (("list",), ("logs",), ("prune",), ("stop",), ("down",), ("--provider", "local")),
    "cloud": (("push", "--to", "-"), ("pull",), ("projects",), ("auth", "login", "--no-open")),
    "emulator": (("serve",),),
    "inspect": (("inspect",),),
    "mcp": (("mcp",),),
    "templates": (("new", "django", "shop", "-y"),),
}


def run(argv: list[str], folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def ok(argv: list[str], folder: Path, environ: dict[str, str]) -> str:
    done = run(argv, folder, environ)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "Büro shop"
    folder.mkdir()
    return folder


@pytest.fixture(params=PYTHONS)
def environment(
    request: pytest.FixtureRequest, dist: Dist, tmp_path: Path, neonup_home: Path
) -> Environment:
    python = interpreter(request.param)
    if python is None:
        pytest.skip(f"there is no Python {request.param} on this machine")
    environ = clean_environ(neonup_home, HOME=str(tmp_path))
    return empty_environment(tmp_path / "environment", dist, environ, python)


def test_each_python_runs_the_core_then_everything(
    environment: Environment, neon_new_server: NeonNewServer, project: Path
) -> None:
    environment.install("neonup")
    cloud = {**environment.environ, "CLAIMABLE_NEON_HOST": neon_new_server.claimable}
    said = ok([environment.neonup], project, cloud)  # nothing local: Claimable Neon
    assert "created an unclaimed Neon database" in said
    assert "provider: claimable (local: The provider 'local' is not installed.)" in said
    assert "ready" in ok([environment.neonup, "status"], project, cloud)
    environment.install("neonup[all]")
    pip = [environment.python, "-m", "pip"]
    assert "No broken requirements" in ok([*pip, "check"], project, environment.environ)
    imported = f"import {', '.join(PACKAGE_FOLDERS)}, neonup_cloud.oauth"
    ok([environment.python, "-c", imported], project, environment.environ)
    (project / ".env").unlink()
    created = ok([environment.neonup], project, environment.environ)
    assert "created a local Postgres" in created


@pytest.fixture(scope="module")
def core_alone(dist: Dist, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the core and what it needs."""
    folder = tmp_path_factory.mktemp("core")
    made = empty_environment(folder / "environment", dist, {"PATH": os.defpath})
    made.install("neonup")
    return made


@pytest.mark.parametrize("extra", NEEDS)
@pytest.mark.parametrize(
    ("marker", "command"),
    [
        (None, "pip install {}"),
        ("pipx_metadata.json", "pipx runpip neonup install {}"),
        ("uv-receipt.toml", "uv tool install {}"),
    ],
    ids=["pip", "pipx", "uv"],
)
def test_what_needs_an_extra_says_how_to_add_it(
    extra: str,
    marker: str | None,
    command: str,
    core_alone: Environment,
    project: Path,
    neonup_home: Path,
) -> None:
    environ = clean_environ(neonup_home, HOME=str(project.parent), PATH=str(core_alone.folder))
    if marker:
        (core_alone.folder / marker).touch()
    try:
        for args in NEEDS[extra]:
            done = run([core_alone.neonup, *args], project, environ)
            assert done.returncode == 1, (args, done.stdout)
            assert command.format(f'"neonup[{extra}]"') in done.stderr, (args, done.stderr)
            assert "Traceback" not in done.stderr
    finally:
        if marker:
            (core_alone.folder / marker).unlink()


@pytest.mark.parametrize("active", [False, True], ids=["no environment", "another environment"])
def test_a_linked_command_uses_its_own_environment(
    active: bool, dist: Dist, tmp_path: Path, neonup_home: Path, project: Path
) -> None:
    shell = clean_environ(neonup_home, HOME=str(tmp_path))
    tool = empty_environment(tmp_path / "tools/neonup", dist, shell)
    tool.install("neonup[local]")
    links = tmp_path / ".local/bin"
    links.mkdir(parents=True)
    (links / "neonup").symlink_to(tool.neonup)
    (project / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    environ = {**shell, "PATH": os.pathsep.join([str(links), shell["PATH"]])}
    if active:
        other = empty_environment(project / ".venv", dist, environ, sys.executable)
        environ = other.environ
        assert ok(["python", "-c", "import sys; print(sys.prefix)"], project, environ).strip() == (
            str(other.folder)
        )
    assert "created a local Postgres" in ok(["neonup"], project, environ)
    asked = "import os; print(os.environ['DATABASE_URL'])"
    url = dotenv_values(project / ".env")["DATABASE_URL"]
    assert ok(["neonup", "run", "--", "python3", "-c", asked], project, environ).strip() == url
    ok(["neonup", "destroy", "--yes"], project, environ)
    assert "DATABASE_URL" not in dotenv_values(project / ".env")
