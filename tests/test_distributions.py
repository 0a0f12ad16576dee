"""The five distributions: versions, entry points, imports and public names.

What is shipped of them is in `tests/release`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import neonup
from tests.release.building import FOLDERS, PACKAGES, ROOT, project_table

PUBLIC_PACKAGES = {
    "neonup.neon",
    "neonup.neon.agents",
    "neonup.neon.errors",
    "neonup.neon.oauth",
    "neonup.neon.platform",
}
"""What the guides import beside the core's own names."""
PUBLIC = {"neonup", *neonup.__all__, *PUBLIC_PACKAGES}
"""What plugins may import."""
PLUGINS = [name for name in FOLDERS if name != "neonup"]


def test_all_have_one_version() -> None:
    versions = {name: project_table(name)["version"] for name in FOLDERS}
    assert set(versions.values()) == {neonup.__version__}, versions


@pytest.mark.parametrize("name", FOLDERS)
def test_each_has_the_licence(name: str) -> None:
    # Copies: a source distribution would keep a link to outside of itself.
    assert (ROOT / FOLDERS[name] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_pins_the_core_of_its_version(name: str) -> None:
    project = project_table(name)
    assert f"neonup=={project['version']}" in project["dependencies"]


def test_extras_pin_the_plugins_of_their_version() -> None:
    project = project_table("neonup")
    extras = project["optional-dependencies"]
    for name in PLUGINS:
        extra = name.removeprefix("neonup-")
        assert extras[extra] == [f"{name}=={project['version']}"]


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


def test_the_documentation_says_what_is_public_and_imports_nothing_else() -> None:
    said = (ROOT / "docs" / "plugins.md").read_text("utf-8").partition("## The hooks")[0]
    assert {*re.findall(r"`(neonup\.neon[a-z.]*)`", said)} == PUBLIC_PACKAGES
    for page in (ROOT / "docs").rglob("*.md"):
        imported = re.findall(r"^from (neonup\.[a-z_.]+) import", page.read_text("utf-8"), re.M)
        assert {*imported} <= PUBLIC_PACKAGES, page


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
    for path in (ROOT / FOLDERS[name] / PACKAGES[name]).rglob("*.py"):
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
