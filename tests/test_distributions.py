"""The distributions: versions, entry points, imports and public names.

What is shipped of them is in `tests/release`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points, packages_distributions
from inspect import getdoc, isclass, isfunction
from pathlib import Path
from pkgutil import iter_modules

import pytest
from packaging.requirements import Requirement

import neonup
from neonup.plugin import __path__ as plugin_path
from tests.release.building import FOLDERS, PACKAGE_FOLDERS, PACKAGES, ROOT, project_table

PUBLIC = {"neonup", *neonup.__all__, "neonup.plugin"}
"""What plugins may import of the core: its names, and what is in `neonup.plugin`."""
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
        if name == "neonup-pages":  # it comes with those who need it
            continue
        extra = name.removeprefix("neonup-")
        requirement = Requirement(extras[extra][0])
        assert (requirement.name, str(requirement.specifier)) == (name, f"=={project['version']}")


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


def test_what_is_public_has_a_docstring() -> None:
    modules = [import_module(f"neonup.plugin.{found.name}") for found in iter_modules(plugin_path)]
    offered = [
        (module.__name__, name, getattr(module, name))
        for module in modules
        for name in module.__all__
    ]
    offered += [("neonup", name, getattr(neonup, name)) for name in neonup.__all__]
    bare = [
        f"{module}.{name}"
        for module, name, value in offered
        if (isfunction(value) or isclass(value)) and not getdoc(value)
    ]
    assert not bare


def test_the_documentation_imports_what_is_public_and_nothing_else() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        imported = re.findall(r"^from (neonup\.[a-z_.]+) import", page.read_text("utf-8"), re.M)
        assert all(name.startswith("neonup.plugin") for name in imported), page


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


@pytest.mark.parametrize("package", sorted(PACKAGE_FOLDERS.keys() - {"neonup"}))
def test_a_plugin_imports_only_public_names_of_the_core(package: str) -> None:
    for path in PACKAGE_FOLDERS[package].rglob("*.py"):
        for line, imported in _neonup_imports(path):
            public = imported in PUBLIC or imported.startswith("neonup.plugin.")
            assert public, f"{path.relative_to(ROOT)}:{line}: {imported}"


def test_the_core_imports_no_plugin_but_by_its_provider_list() -> None:
    others = PACKAGE_FOLDERS.keys() - {"neonup"}
    for path in (ROOT / "core" / "neonup").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            assert not {name.partition(".")[0] for name in names} & others, path


def _imported_at_once(path: Path) -> Iterator[str]:
    """The packages that a module imports when it is imported itself."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("name", ["neonup", "neonup-local"])
def test_what_every_project_installs_declares_what_its_modules_import(name: str) -> None:
    """Of the others, some modules are for packages that the project brings."""
    project = project_table(name)
    declared = {
        re.sub(r"[-_.]+", "-", Requirement(text).name).lower() for text in project["dependencies"]
    }
    # An editable distribution does not list its package.
    ours = {package: [distribution] for distribution, package in PACKAGES.items()}
    known = {**packages_distributions(), **ours}
    shipped = {
        package: folder
        for package, folder in PACKAGE_FOLDERS.items()
        if folder.parent == ROOT / FOLDERS[name]
    }
    for path in (module for folder in shipped.values() for module in folder.rglob("*.py")):
        for imported in {*_imported_at_once(path)} - {*shipped, *sys.stdlib_module_names}:
            brought = {re.sub(r"[-_.]+", "-", one).lower() for one in known[imported]}
            assert brought & declared, f"{path.relative_to(ROOT)} imports {imported}"
