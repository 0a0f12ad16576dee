"""A class's name means one thing in the repository."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from tests.release.building import PACKAGE_FOLDERS, ROOT

FRAMEWORKS = frozenset({"Account", "Command"})
"""`Account` is one thing for two frameworks; Django wants a command to be called `Command`."""

NEON_TERMS = frozenset(
    {
        Path("core/neonup/providers/claimable/api.py"),
        Path("plugins/neonup_cloud/neonup_cloud/api/access_answers.py"),
        Path("plugins/neonup_cloud/neonup_cloud/api/answers.py"),
        Path("plugins/neonup_cloud/neonup_cloud/api/errors.py"),
    }
)
"""What a client is answered: the emulator has the same things under the same names."""


def test_the_name_of_a_public_class_means_one_thing() -> None:
    places: dict[str, list[Path]] = defaultdict(list)
    for folder in PACKAGE_FOLDERS.values():
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(path.relative_to(ROOT))
    repeated = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert repeated.keys() >= FRAMEWORKS
    ambiguous = {
        name: sorted(map(str, paths))
        for name, paths in repeated.items()
        if name not in FRAMEWORKS and not _answered_and_emulated(paths)
    }
    assert not ambiguous


def _answered_and_emulated(paths: list[Path]) -> bool:
    client = [path for path in paths if "neonup_emulator" not in path.parts]
    return len(paths) == 2 and len(client) == 1 and client[0] in NEON_TERMS
