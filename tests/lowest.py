"""The lowest versions that our metadata allow, as pip's constraints: ``python -m tests.lowest``.

For the distributions that share an environment with a project's own packages. The local Neon, the
MCP server, `neonup inspect` and `neonup studio` need newer ones; who has them has them as tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.requirements import Requirement
from packaging.version import Version

from tests.release.building import FOLDERS, project_table

TOOLS = {
    *("neonup-emulator", "neonup-inspect", "neonup-mcp", "neonup-pages", "neonup-studio"),
    "neonup-templates",
}
TRIED = [*FOLDERS.keys() - TOOLS]


def requirements(names: Iterable[str] = TRIED) -> Iterator[Requirement]:
    """What the distributions need of others, their extras included."""
    for name in names:
        project = project_table(name)
        extras = project.get("optional-dependencies", {}).values()
        for text in [
            *project.get("dependencies", []),
            *(text for extra in extras for text in extra),
        ]:
            requirement = Requirement(text)
            if requirement.name not in FOLDERS:
                yield requirement


def lowest_versions() -> dict[str, Version]:
    """Each package, and the lowest version that all of the distributions take."""
    versions: dict[str, Version] = {}
    for requirement in requirements():
        (lowest,) = [Version(one.version) for one in requirement.specifier if one.operator == ">="]
        versions[requirement.name] = max(lowest, versions.get(requirement.name, lowest))
    return versions


if __name__ == "__main__":
    for package, version in sorted(lowest_versions().items()):
        print(f"{package}=={version}")
