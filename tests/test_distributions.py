"""The five distributions as they are shipped: metadata, typing, imports and public names."""

from __future__ import annotations

import ast
import email.message
import email.parser
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import neonup

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "neonup": ROOT / "core",
    "neonup-local": ROOT / "plugins" / "neonup_local",
    "neonup-django": ROOT / "plugins" / "django_neon",
    "neonup-fastapi": ROOT / "plugins" / "fastapi_neon",
    "neonup-pytest": ROOT / "plugins" / "pytest_neon",
}
PACKAGES = {
    "neonup": "neonup",
    "neonup-local": "neonup_local",
    "neonup-django": "django_neon",
    "neonup-fastapi": "fastapi_neon",
    "neonup-pytest": "neonup_pytest",
}
PUBLIC = {"neonup", *neonup.__all__, "neonup.neon", "neonup.neon.oauth"}
"""What plugins may import: the core's names, and two packages that have names of their own."""
PLUGINS = [name for name in FOLDERS if name != "neonup"]


def _project(name: str) -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text("utf-8"))
    project: dict[str, Any] = content["project"]
    return project


def test_all_have_one_version() -> None:
    versions = {name: _project(name)["version"] for name in FOLDERS}
    assert set(versions.values()) == {neonup.__version__}, versions


@pytest.mark.parametrize("name", FOLDERS)
def test_each_has_the_licence(name: str) -> None:
    # Copies: a source distribution would keep a link to outside of itself.
    assert (FOLDERS[name] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_pins_the_core_of_its_version(name: str) -> None:
    project = _project(name)
    assert f"neonup=={project['version']}" in project["dependencies"]


def test_extras_pin_the_plugins_of_their_version() -> None:
    project = _project("neonup")
    extras = project["optional-dependencies"]
    for name in PLUGINS:
        extra = name.removeprefix("neonup-")
        assert extras[extra] == [f"{name}=={project['version']}"]
        assert extra in extras["all"][0]
    assert "templates" in extras["all"][0]


@pytest.fixture(scope="module", params=FOLDERS)
def wheel(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A distribution's name and its wheel, built from its source distribution as pip does it."""
    name = str(request.param)
    out = tmp_path_factory.mktemp(name)
    hatchling = "from hatchling.cli import hatchling; raise SystemExit(hatchling())"
    subprocess.run(
        [sys.executable, "-c", hatchling, "build", "-t", "sdist", "-d", str(out)],
        cwd=FOLDERS[name],
        check=True,
        capture_output=True,
    )
    (sdist,) = out.glob("*.tar.gz")
    offline = ["--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", str(out)]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", *offline, str(sdist)],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return name, built


def _metadata(archive: zipfile.ZipFile) -> email.message.Message:
    (path,) = (path for path in archive.namelist() if path.endswith(".dist-info/METADATA"))
    return email.parser.BytesParser().parsebytes(archive.read(path))


def test_a_wheel_is_complete(wheel: tuple[str, Path]) -> None:
    name, path = wheel
    with zipfile.ZipFile(path) as archive:
        files = archive.namelist()
        metadata = _metadata(archive)
    package = PACKAGES[name]
    assert f"{package}/py.typed" in files
    assert any(file.endswith("/licenses/LICENSE") for file in files)
    assert {file.partition("/")[0] for file in files} == {
        package,
        f"{name.replace('-', '_')}-{neonup.__version__}.dist-info",
    }
    source = FOLDERS[name] / package
    expected = {
        str(file.relative_to(FOLDERS[name]))
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert expected <= set(files)
    assert metadata["Name"] == name
    assert metadata["Version"] == neonup.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_payload()


def test_entry_points_load_and_are_ours() -> None:
    found = {entry.name: entry for entry in entry_points(group="neonup")}
    assert {"local", "neon.new"} <= set(found)
    for entry in found.values():
        assert entry.load()
    (script,) = entry_points(group="console_scripts", name="neonup")
    assert callable(script.load())


def test_public_names_exist() -> None:
    for name in neonup.__all__:
        assert getattr(neonup, name) is not None
    assert set(neonup.__all__) <= set(dir(neonup))


def _neonup_imports(path: Path) -> Iterator[tuple[int, str]]:
    """The lines and names that a module imports from the core; modules with their full name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "neonup":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "neonup":
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif node.module.startswith("neonup."):
                yield node.lineno, node.module


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_imports_only_public_names_of_the_core(name: str) -> None:
    for path in (FOLDERS[name] / PACKAGES[name]).rglob("*.py"):
        for line, imported in _neonup_imports(path):
            assert imported in PUBLIC, f"{path.relative_to(ROOT)}:{line}"


def test_the_core_imports_no_plugin_but_by_its_provider_list() -> None:
    others = set(PACKAGES.values()) - {"neonup"}
    for path in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            assert not {name.partition(".")[0] for name in names} & others, path
