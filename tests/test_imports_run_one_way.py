"""Each distribution is read as a house: what is below knows nothing of what is above."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.release.building import PACKAGE_FOLDERS

DISTRIBUTIONS = {package: folder.parent for package, folder in PACKAGE_FOLDERS.items()}
ARROWS = {
    "neonup": set(),
    "neonup_init": {"neonup"},
    "neonup_local": {"neonup"},
    "neonup_cloud": {"neonup", "neonup_local"},
    "neonup_pages": {"neonup"},
    "neonup_emulator": {"neonup", "neonup_local", "neonup_pages"},
    "neonup_inspect": {"neonup"},
    "neonup_mcp": {"neonup", "neonup_inspect"},
    "neonup_studio": {"neonup", "neonup_inspect", "neonup_local", "neonup_pages"},
    "neonup_templates": {"neonup"},
    "neonup_web": {"neonup", "neonup_studio"},
    "django_neon": {"neonup", "neonup_web"},
    "fastapi_neon": {"neonup", "neonup_web"},
    "neonup_pytest": {
        *("neonup", "neonup_cloud", "neonup_local", "neonup_emulator", "neonup_studio"),
    },
}
"""Which packages of ours each may import: what is below it. What an adapter can do without, it
imports in functions."""

CORE = (
    ("errors", "extras", "folders", "locks", "markers", "process", "progress", "values"),
    ("choice", "contributions", "postgres"),
    ("arguments", "options", "platforms"),
    ("tables",),
    ("database", "settings", "versions"),
    ("provider",),
    ("env", "http", "hookspecs"),
    ("plugins",),
    ("clients", "providers"),
    ("start",),
    ("auto", "cli"),
    ("plugin",),
    ("__main__",),
)
"""The core's modules and rooms, from the ground up; a room imports only what is below it."""


def modules(name: str) -> dict[str, Path]:
    """The modules of a package, by their dotted names."""
    found = {}
    for path in (DISTRIBUTIONS[name] / name).rglob("*.py"):
        parts = path.relative_to(DISTRIBUTIONS[name]).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The known modules that a file imports anywhere: in functions, and for types alone, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                name = inner if inner in known else node.module
                if name in known:
                    yield name


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_no_module_imports_itself_by_way_of_others(name: str) -> None:
    known = modules(name)
    # The package itself offers public names lazily, and so may be imported by anything in it.
    graph = {
        module: {*imports(path, known)} - {module, name}
        for module, path in known.items()
        if module != name
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' <- '.join(error.args[1])}")


def test_the_rooms_of_the_core_stand_on_each_other() -> None:
    floor = {room: number for number, rooms in enumerate(CORE) for room in rooms}
    known = modules("neonup")
    wrong = []
    for module, path in known.items():
        if module == "neonup":
            continue
        room = module.split(".")[1]
        assert room in floor, f"{room} has no place in the order of rooms"
        for imported in {*imports(path, known)} - {"neonup"}:
            other = imported.split(".")[1]
            if other != room and floor[other] >= floor[room]:
                wrong.append(f"{module} imports {imported}")
    assert not wrong


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_arrows_point_down(name: str) -> None:
    ours = {module: path for other in DISTRIBUTIONS for module, path in modules(other).items()}
    wrong = [
        f"{module} imports {imported}"
        for module, path in modules(name).items()
        for imported in imports(path, ours)
        if imported.partition(".")[0] not in ARROWS[name] | {name}
    ]
    assert not wrong
