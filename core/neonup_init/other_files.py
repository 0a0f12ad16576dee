"""Examples of ``.env``, compose files and SQL, read line by line.

Of YAML only names of variables are wanted, which stand in lines of their own: ``POSTGRES_DB: app``,
``- POSTGRES_DB=app`` and ``${POSTGRES_DB}``. A library for YAML would be one more dependency of
every user's.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from dotenv.parser import parse_stream

from neonup.plugin.postgres import DJANGO_OPERATIONS

_COMPOSE_NAME = re.compile(
    r"\$\{([A-Z_][A-Z0-9_]*)|^\s*(?:-\s+)?[\"']?([A-Z_][A-Z0-9_]*)[\"']?\s*[:=]"
)
_IMAGE = re.compile(
    r"^\s*image:\s*[\"']?(?:[\w./-]*/)?(?:postgres|postgis|pgvector)[\w./-]*:[\"']?[a-z-]*(\d+)"
)
_EXTENSION = re.compile(
    r"CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?[\"']?([\w-]+)", re.IGNORECASE
)
_OPERATION = re.compile(
    r"\bCreateExtension\(\s*(?:name\s*=\s*)?[\"']([\w-]+)|\b(\w+Extension)\(\s*\)"
)


def example(text: str) -> Iterator[tuple[str, str, int]]:
    """The variables of an example of ``.env``: name, value and line."""
    for binding in parse_stream(io.StringIO(text)):
        if binding.key and not binding.error:
            leading = binding.original.string
            line = binding.original.line + len(leading) - len(leading.lstrip("\r\n"))
            yield binding.key, binding.value or "", line


def compose_names(text: str) -> Iterator[tuple[str, int]]:
    """The variables that a compose file names, with their lines."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith("#"):
            for names in _COMPOSE_NAME.findall(line):
                yield names[0] or names[1], number


def postgres_images(text: str) -> Iterator[tuple[str, int]]:
    """The major versions of Postgres's images that a compose file names, with their lines."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := _IMAGE.match(line):
            yield match[1], number


def extensions(text: str) -> Iterator[tuple[str, int]]:
    """The extensions that SQL, or SQL in code, creates, with their lines."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lstrip().startswith(("--", "#")):
            for name in _EXTENSION.findall(line):
                if name.lower() not in ("plpgsql", "if"):
                    yield name, number
            for created, operation in _OPERATION.findall(line):
                if name := created or DJANGO_OPERATIONS.get(operation, ""):
                    yield name, number
