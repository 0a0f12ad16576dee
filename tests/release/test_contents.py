"""What is in each wheel and source distribution: all that belongs there, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import neonup
from tests.release.building import (
    FOLDERS,
    PACKAGE_FOLDERS,
    ROOT,
    build,
    build_all,
    contents,
    project_table,
    unpacked,
)
from tests.release.conftest import Dist

MODULE = r"(?:\w+/)*\w+\.py"
DATA = {
    "neonup": (),
    "neonup-cloud": (),
    "neonup-local": (),
    "neonup-emulator": (
        r"api/agents/auth\.md",
        r"api/web/templates/\w+\.html",
    ),
    "neonup-inspect": (),
    "neonup-mcp": (),
    "neonup-pages": (r"static/\w+\.(?:css|js|svg)", r"templates/\w+\.html"),
    "neonup-studio": (r"static/\w+\.css", r"templates/\w+\.html"),
    "neonup-templates": (),
    "neonup-django": (),
    "neonup-fastapi": (),
    "neonup-web": (r"pages/\w+\.(?:css|html|js)",),
    "neonup-pytest": (),
}
"""Files of a package beside its modules and its py.typed: patterns of their paths."""
BESIDE = ("LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore")
"""What a source distribution has beside the package; hatchling always takes the last."""


def _tracked(folder: Path) -> dict[str, bytes]:
    """The files of a folder that git knows, or is to know."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = filter(None, listed.split("\0"))
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _packages(name: str) -> list[str]:
    """What a distribution is imported as: its packages, most often one."""
    return [
        package
        for package, folder in PACKAGE_FOLDERS.items()
        if folder.parent == ROOT / FOLDERS[name]
    ]


def _package(name: str) -> dict[str, bytes]:
    """A distribution's packages as they must be shipped."""
    files = {
        f"{package}/{path}": content
        for package in _packages(name)
        for path, content in _tracked(PACKAGE_FOLDERS[package]).items()
    }
    if name == "neonup-templates":
        templates = _tracked(ROOT / "templates")
        files |= {
            f"neonup_templates/_templates/{path}": content for path, content in templates.items()
        }
    return files


def test_a_wheel_has_the_package_and_its_metadata(name: str, dist: Dist) -> None:
    files = contents(dist.wheel(name))
    info = f"{name.replace('-', '_')}-{neonup.__version__}.dist-info"
    described = {f"{info}/{file}" for file in ("METADATA", "WHEEL", "RECORD", "licenses/LICENSE")}
    if project_table(name).keys() & {"entry-points", "scripts"}:
        described.add(f"{info}/entry_points.txt")
    package = _package(name)
    assert set(files) - set(package) == described
    assert {path: files[path] for path in package} == package
    assert files[f"{info}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()


def test_a_source_distribution_has_the_same_and_what_builds_it(name: str, dist: Dist) -> None:
    files = contents(dist.sdist(name))
    package = _package(name)
    beside = {*BESIDE, "hatch_build.py"} if name == "neonup-templates" else {*BESIDE}
    assert set(files) - set(package) == beside
    assert {path: files[path] for path in package} == package


def test_only_files_of_known_kinds_are_shipped(name: str) -> None:
    packages = "|".join(_packages(name))
    kinds = [MODULE, r"py\.typed", *DATA[name]]
    known = re.compile(f"(?:{packages})/(?:{'|'.join(kinds)})|neonup_templates/_templates/.+")
    assert [path for path in _package(name) if not known.fullmatch(path)] == []
    assert {f"{package}/py.typed" for package in _packages(name)} <= _package(name).keys()


def test_a_wheel_is_the_same_from_the_source_distribution(
    name: str, dist: Dist, tmp_path: Path
) -> None:
    again = build(unpacked(dist.sdist(name), tmp_path), tmp_path, "wheel")
    assert again.name == dist.wheel(name).name
    assert _in_any_order(again) == _in_any_order(dist.wheel(name))


def _in_any_order(wheel: Path) -> dict[str, bytes]:
    """A wheel's files; what the hook adds comes last, in the archive and so in RECORD."""
    files = contents(wheel)
    (record,) = (path for path in files if path.endswith(".dist-info/RECORD"))
    files[record] = b"".join(sorted(files[record].splitlines(keepends=True)))
    return files


def test_no_file_names_a_place_of_the_machine_that_built_it(name: str, dist: Dist) -> None:
    places = {str(path).encode() for path in (ROOT, Path.home(), Path(sys.prefix), dist.folder)}
    for archive in dist.archives(name):
        for path, content in contents(archive).items():
            assert not [place for place in places if place + b"/" in content], path


JUNK = ("__pycache__/old.cpython-311.pyc", ".env", ".pytest_cache/README.md", ".mypy_cache/x.json")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository after some days of work in it."""
    root = tmp_path_factory.mktemp("used")
    for folder in ("core", "plugins", "templates"):
        for path in _tracked(ROOT / folder):
            (root / folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / folder / path, root / folder / path)
    shutil.copy2(ROOT / ".gitignore", root)
    sources = [root / folder.relative_to(ROOT) for folder in PACKAGE_FOLDERS.values()]
    for source in [*sources, root / "templates/django", root / "templates/fastapi/hooks"]:
        for junk in JUNK:
            (source / junk).parent.mkdir(parents=True, exist_ok=True)
            (source / junk).write_text("not to be shipped")
    # Without a repository above it, hatchling reads no .gitignore.
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    (root / "core/dist").mkdir()
    (root / "core/dist/neonup-0.0.1.tar.gz").touch()
    (root / "core/build").mkdir()
    (root / "core/build/left.py").touch()
    return root


def test_what_work_leaves_in_the_repository_is_not_shipped(
    used: Path, dist: Dist, tmp_path: Path
) -> None:
    build_all(tmp_path, used)
    for made in sorted(tmp_path.iterdir()):
        assert made.read_bytes() == (dist.folder / made.name).read_bytes(), made.name
    shutil.rmtree(used)
