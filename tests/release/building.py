"""The distributions as they are shipped: ``python -m tests.release.building FOLDER``."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[2]


def _distributions() -> Iterator[tuple[str, str, list[str]]]:
    """The name, folder and packages of each distribution, as its ``pyproject.toml`` has them.

    Not the engine's, whose version is its Postgres's: `make engine` builds it, and
    `tests/engine` looks at it.
    """
    for file in [ROOT / "core" / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]:
        content = tomllib.loads(file.read_text("utf-8"))
        if "version" not in content["project"]:
            continue
        packages = content["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
        yield content["project"]["name"], file.parent.relative_to(ROOT).as_posix(), packages


FOLDERS = {name: folder for name, folder, _ in _distributions()}
"""Where each distribution is in the repository."""
PACKAGES = {name: packages[0] for name, _, packages in _distributions()}
"""What each is imported as."""
PACKAGE_FOLDERS = {
    package: ROOT / folder / package
    for _, folder, packages in _distributions()
    for package in packages
}
"""Where every package is that is shipped: the core's distribution has neonup_init as well."""

_BACKEND = "import sys, hatchling.build as b; print(getattr(b, sys.argv[1])(sys.argv[2]))"


def project_table(name: str) -> dict[str, Any]:
    """The ``[project]`` of a distribution's ``pyproject.toml``."""
    content = tomllib.loads((ROOT / FOLDERS[name] / "pyproject.toml").read_text("utf-8"))
    found: dict[str, Any] = content["project"]
    return found


def build(source: Path, out: Path, target: Literal["sdist", "wheel"]) -> Path:
    """Build one file of a distribution, by the hook that ``pip`` and ``build`` call.

    Args:
        source: the folder with its ``pyproject.toml``.
        out: where the file goes.
        target: which of the two.
    """
    made = subprocess.run(
        [sys.executable, "-c", _BACKEND, f"build_{target}", str(out)],
        cwd=source,
        check=True,
        capture_output=True,
        text=True,
    )
    return out / made.stdout.splitlines()[-1]


def build_all(out: Path, root: Path = ROOT) -> None:
    """Build the wheel and the source distribution of each."""
    for folder in FOLDERS.values():
        build(root / folder, out, "sdist")
        build(root / folder, out, "wheel")


def unpacked(sdist: Path, out: Path) -> Path:
    """A source distribution's folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(out, filter="data")
    return out / sdist.name.removesuffix(".tar.gz")


def contents(archive: Path) -> dict[str, bytes]:
    """The files of a wheel or of a source distribution, without the latter's outermost folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    found = {}
    with tarfile.open(archive) as sdist:
        for member in sdist.getmembers():
            content = sdist.extractfile(member)
            assert content is not None, f"{member.name} is no file"
            found[member.name.partition("/")[2]] = content.read()
    return found


if __name__ == "__main__":
    build_all(Path(sys.argv[1]).resolve())
