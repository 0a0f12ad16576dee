"""libpq's service files, where a URL or ``PGSERVICE`` names a service.

https://www.postgresql.org/docs/18/libpq-pgservice.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from neonup.errors import SettingsError

FILE = "PGSERVICEFILE"
"""The variable that names the user's file."""

SYSTEM_FOLDER = "PGSYSCONFDIR"
"""The variable that names the folder of the machine's file."""


def parameters(service: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a service, by libpq's names.

    Raises:
        SettingsError: no file that is known has it, or it cannot be read.
    """
    looked: list[str] = []
    for path in _service_files(environ):
        looked.append(str(path))
        try:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue
        section = _section(text, service)
        if section is not None:
            return section
    raise SettingsError(
        f"The database URL cannot be used: the service {service!r} that it or PGSERVICE names is "
        "not known.",
        checked=looked,
        remedy="Name the host in the URL instead.",
    )


def _service_files(environ: Mapping[str, str]) -> Iterator[Path]:
    if chosen := environ.get(FILE):
        yield Path(chosen)
    else:
        yield Path(environ.get("HOME") or Path.home()) / ".pg_service.conf"
    if folder := environ.get(SYSTEM_FOLDER):
        yield Path(folder) / "pg_service.conf"


def _section(text: str, service: str) -> dict[str, str] | None:
    """The first section of that name; within it the first value of a name counts, as in libpq."""
    section: dict[str, str] | None = None
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            if section is not None:
                return section
            if line.startswith(f"[{service}]"):
                section = {}
        elif section is not None:
            name, equals, value = line.partition("=")
            if not equals or name == "service":  # LDAP, or what libpq refuses
                return None
            section.setdefault(name, value)
    return section
