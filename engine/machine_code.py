"""Reads the headers of programs and libraries of every platform, and takes a processor's part."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import TypeVar

import lief

Header = TypeVar("Header")

_FAT = b"\xca\xfe\xba\xbe"
_FAT_ENTRY = struct.Struct(">5I")  # processor, its kind, offset, size, alignment
_PROCESSORS = {"x86_64": 0x01000007, "arm64": 0x0100000C}
_LINUX = re.compile(
    r"lib(c|m|dl|rt|pthread)\.so\.\d|libstdc\+\+\.so\.6|libgcc_s\.so\.1|ld-linux[\w-]*\.so\.\d"
)
"""What a manylinux wheel may expect of a machine, as far as it is needed."""
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")
_MACOS = re.compile(r"/usr/lib/|/System/Library/")
_WINDOWS = re.compile(
    r"api-ms-win-[\w-]+|advapi32|bcrypt|crypt32|iphlpapi|kernel32|msvcp140|msvcrt|ole32|oleaut32|pdh|secur32"
    r"|shell32|user32|vcruntime140(_1)?|wldap32|ws2_32",
    re.IGNORECASE,
)
"""Windows's own, and Microsoft's redistributable runtime."""


@dataclass(frozen=True)
class MachineCode:
    """What a file of machine code says of itself.

    Args:
        machine_format: ``ELF``, ``Mach-O`` or ``PE``.
        architectures: the processors that it has code for: ``x86_64``, ``arm64``.
        needs: the libraries that it asks for, without the operating system's own.
        oldest: the oldest glibc or macOS that it runs on; None where it does not say.
    """

    machine_format: str
    architectures: frozenset[str]
    needs: tuple[str, ...]
    oldest: tuple[int, int] | None

    def places(self, path: PurePosixPath, libraries: PurePosixPath) -> list[PurePosixPath]:
        """Where the libraries that it needs must be.

        Args:
            path: where the file itself is.
            libraries: the folder of libraries that are asked for by a name alone.
        """
        return [
            PurePosixPath(normpath(path.parent / need.removeprefix("@loader_path/")))
            if need.startswith("@loader_path/")
            else libraries / need
            for need in self.needs
        ]


def read(file: Path) -> MachineCode | None:
    """The header of a file; None if it is no machine code."""
    with file.open("rb") as content:
        begin = content.read(4)
    if begin == b"\x7fELF":
        return _elf(file)
    if begin[:2] == b"MZ":
        return _pe(file)
    if begin in (_FAT, b"\xcf\xfa\xed\xfe"):
        return _mach_o(file)
    return None


def _parsed(header: Header | None, file: Path) -> Header:
    if header is None:
        raise ValueError(f"the header of {file.name} cannot be read")
    return header


def _elf(file: Path) -> MachineCode:
    binary = _parsed(lief.ELF.parse(str(file)), file)
    kinds = {lief.ELF.ARCH.X86_64: "x86_64", lief.ELF.ARCH.AARCH64: "arm64"}
    versions = [
        (int(version[1]), int(version[2]))
        for required in binary.symbols_version_requirement
        for symbol in required.get_auxiliary_symbols()
        if (version := _GLIBC.fullmatch(str(symbol.name)))
    ]
    return MachineCode(
        "ELF",
        frozenset({kinds[binary.header.machine_type]}),
        tuple(str(name) for name in binary.libraries if not _LINUX.fullmatch(str(name))),
        max(versions, default=None),
    )


def _pe(file: Path) -> MachineCode:
    binary = _parsed(lief.PE.parse(str(file)), file)
    kinds = {
        lief.PE.Header.MACHINE_TYPES.AMD64: "x86_64",
        lief.PE.Header.MACHINE_TYPES.ARM64: "arm64",
    }
    names = [str(entry.name) for entry in (*binary.imports, *binary.delay_imports)]
    needs = tuple(
        name
        for name in names
        if name.lower() != "postgres.exe"  # what loads the file
        and not _WINDOWS.fullmatch(name[: -len(".dll")])
    )
    return MachineCode("PE", frozenset({kinds[binary.header.machine]}), needs, None)


def _mach_o(file: Path) -> MachineCode:
    parts = _parsed(lief.MachO.parse(str(file)), file)
    kinds = {
        lief.MachO.Header.CPU_TYPE.X86_64: "x86_64",
        lief.MachO.Header.CPU_TYPE.ARM64: "arm64",
    }
    needs: dict[str, None] = {}
    architectures, oldest = set(), (0, 0)
    for part in parts:
        architectures.add(kinds[part.header.cpu_type])
        for library in part.libraries:
            own = library.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB
            if not own and not _MACOS.match(str(library.name)):
                needs[str(library.name)] = None
        version = part.build_version or part.version_min
        if version is not None:
            found = (
                version.minos if isinstance(version, lief.MachO.BuildVersion) else version.version
            )
            oldest = max(oldest, (found[0], found[1]))
    return MachineCode("Mach-O", frozenset(architectures), tuple(needs), oldest)


def search_path(file: Path) -> list[str]:
    """The folders in which a program of Linux looks for its libraries first."""
    with file.open("rb") as content:
        if content.read(4) != b"\x7fELF":
            return []
    binary = _parsed(lief.ELF.parse(str(file)), file)
    entries = (lief.ELF.DynamicEntryRunPath, lief.ELF.DynamicEntryRpath)
    return [
        path
        for entry in binary.dynamic_entries
        if isinstance(entry, entries)
        for path in entry.paths
    ]


def take_part(file: Path, architecture: str) -> None:
    """Of a file for several processors of macOS, keep the part of one, byte for byte.

    A part has its own signature, which covers the part alone, so it stays valid.
    """
    content = file.read_bytes()
    if content[:4] != _FAT:
        return
    count = int.from_bytes(content[4:8], "big")
    for index in range(count):
        processor, _, offset, size, _ = _FAT_ENTRY.unpack_from(content, 8 + index * _FAT_ENTRY.size)
        if processor == _PROCESSORS[architecture]:
            file.write_bytes(content[offset : offset + size])
            return
    raise ValueError(f"{file.name} has no code for {architecture}")
