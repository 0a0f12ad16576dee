"""Copies of the wheels' Postgres in neonup's home, which outlive any virtual environment."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from neonup import EngineError
from neonup.plugin import progress
from neonup_local.engine import program, sizes
from neonup_local.engine.neon_extensions import NEON_EXTENSIONS

BIN = "bin"
EXTENSION_FOLDERS = ("share/extension", "share/postgresql/extension")
"""Where a Postgres has its extensions' control files, beside its `BIN`."""
_LIBRARIES = ("{}.libs", "{}/.dylibs")
"""Where wheels have more libraries, beside the package: on Linux, and on macOS."""
_INSTALL = "pginstall"
_PROGRAMS = frozenset(
    f"{name}{suffix}"
    for name in (
        *("postgres", "initdb", "psql", "pg_dump", "pg_dumpall", "pg_restore", "pg_config"),
        *("pg_basebackup", "pg_controldata", "pg_isready", "pg_ctl", "pg_resetwal"),
    )
    for suffix in ("", ".exe")
)


def find_wheel(package: str) -> tuple[Path, str] | None:
    """The Postgres in an installed wheel: its folder and the wheel's version."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    # A glance at the folder's name: importlib.metadata would cost more than starting Postgres.
    for info in folder.parent.glob(f"{package}-*.dist-info"):
        return folder / _INSTALL, info.name.removesuffix(".dist-info").rpartition("-")[2]
    return None


def copies(home: Path) -> list[Path]:
    """The folders of all copies."""
    return [path for path in (home / "engines").glob("*") if not path.name.startswith(".")]


def copy_folder(home: Path, engine_id: str) -> Path:
    """Where an engine's copy is or would be."""
    return home / "engines" / engine_id


def bin_folder(copy: Path, package: str) -> Path:
    """The programs in a copy. Libraries are found relative to them, as in site-packages."""
    return copy / package / _INSTALL / BIN


def copy_wheel(source: Path, target: Path) -> None:
    """Copy what a server and its client tools need; whole or not at all.

    Args:
        source: ``<site-packages>/<package>/pginstall``.
        target: ``<home>/engines/<id>``.

    Raises:
        EngineError: it cannot be copied, e.g. the disk is full.
    """
    package = source.parent.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)  # whatever the umask is
    temporary = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    try:
        how_far = sizes.of_copy(lambda: _size(source), temporary / package / _INSTALL)
        with progress.work("Copying Postgres out of its wheel", how_far):
            shutil.copytree(
                source,
                temporary / package / _INSTALL,
                symlinks=True,
                ignore=_leave_out(source),
                copy_function=_link_or_copy,
            )
        for name in (pattern.format(package) for pattern in _LIBRARIES):
            libraries = source.parent.parent / name
            if libraries.is_dir():
                shutil.copytree(
                    libraries, temporary / name, symlinks=True, copy_function=_link_or_copy
                )
        for name in EXTENSION_FOLDERS:
            _trust_extensions(temporary / package / _INSTALL / name)
        _make_readable(temporary)
        if not target.exists():
            temporary.rename(target)
    except OSError as error:
        if not target.is_dir():  # somebody else's copy, made meanwhile, is as good
            raise EngineError(
                f"Postgres could not be copied into {target.parent}: {program.reason(error)}.",
                remedy="Free some space or allow writing there, or set NEONUP_HOME to "
                "another folder.",
            ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _leave_out(source: Path) -> Callable[[str, list[str]], list[str]]:
    def ignore(folder: str, names: list[str]) -> list[str]:
        where = Path(folder).relative_to(source).as_posix()
        if where == ".":
            return [name for name in names if name in ("include", "doc")]
        if where == BIN:
            return [name for name in names if name not in _PROGRAMS and not name.endswith(".dll")]
        return [name for name in names if name in ("pgxs", "pkgconfig", "doc") or name[-2:] == ".a"]

    return ignore


def _size(source: Path) -> int:
    """The bytes of what is not left out."""
    ignore, total = _leave_out(source), 0
    for where, folders, files in os.walk(source):
        left_out = {*ignore(where, [*folders, *files])}
        folders[:] = [name for name in folders if name not in left_out]
        total += sum(sizes.of_file(Path(where, name)) for name in {*files} - left_out)
    return total


def _link_or_copy(source: str, target: str) -> None:
    """A second name for the file where that is possible, which outlives the first one.

    Only for files that all may read as they are: the wheel's own are never changed.
    """
    path = Path(source)
    needed = 0o555 if path.parent.name == BIN else 0o444
    if path.stat().st_mode & needed == needed and path.suffix != ".control":
        with contextlib.suppress(OSError):  # another disk, or a file system without links
            os.link(source, target)
            return
    shutil.copy2(source, target)


def _trust_extensions(folder: Path) -> None:
    """Let every owner create what Neon lets them; stock Postgres keeps some to superusers."""
    for name in NEON_EXTENSIONS:
        control = folder / f"{name}.control"
        if control.is_file() and "trusted" not in (text := control.read_text(encoding="utf-8")):
            control.write_text(f"{text.rstrip()}\ntrusted = true\n", encoding="utf-8")


def _make_readable(folder: Path) -> None:
    """The account that runs Postgres must be able to read it, whatever the umask was."""
    for where, folders, files in os.walk(folder):
        for name in (".", *folders):
            Path(where, name).chmod(0o755)
        for name in files:
            path = Path(where, name)
            if path.is_symlink() or path.stat().st_nlink > 1:
                continue
            executable = path.parent.name == BIN or ".so" in name
            path.chmod(0o755 if executable else 0o644)
