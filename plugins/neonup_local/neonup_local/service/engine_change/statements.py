"""What pg_dump and pg_dumpall write, as a server of another major version can run it."""

from __future__ import annotations

import re
from collections.abc import Collection

_NEW_SETTING = "SET transaction_timeout = 0;\n"
"""Of Postgres 17: one of the first lines of whatever its pg_dump writes."""

_BUILTIN_LOCALE = re.compile(
    r"^(CREATE DATABASE .*?) LOCALE_PROVIDER = builtin LOCALE = '[^']*'"
    r"( BUILTIN_LOCALE = '[^']*')?",
    re.MULTILINE,
)
"""Of Postgres 17. Without it a database gets the locale of the new cluster, which is C.UTF-8, too:
https://www.postgresql.org/docs/current/locale.html#LOCALE-PROVIDERS"""

_COLUMN_VERSION = re.compile(
    r"^ALTER [A-Z ]*\S.* ALTER COLUMN \S.* SET \(pg_attver=[^(),\n]+\);\n", re.MULTILINE
)
"""An option that Debian's Postgres 15.20 keeps with each column, and that other servers refuse."""

_ROLE = r'"(?:[^"]|"")+"|[^\s",;]+'
_CREATE = re.compile(rf"^CREATE ROLE (?P<role>{_ROLE});\n", re.MULTILINE)
_MEMBERSHIP = re.compile(
    rf"^GRANT (?P<role>{_ROLE}) TO (?P<member>{_ROLE})(?: WITH (?P<options>[A-Z ,]+?))?"
    rf"(?P<by> GRANTED BY (?:{_ROLE}))?;\n",
    re.MULTILINE,
)


def schema_for(script: str, major: int) -> str:
    """The statements of a schema without those that a server refuses and that change nothing.

    Args:
        script: what pg_dump wrote.
        major: the server's major version.
    """
    script = _COLUMN_VERSION.sub("", script)
    if major < 17:
        script = _BUILTIN_LOCALE.sub(r"\1", script.replace(_NEW_SETTING, ""))
    return script


def rows_for(start: bytes, major: int) -> bytes:
    """The same for the first 2 KiB or more of what pg_dump wrote of the rows."""
    return start if major >= 17 else start.replace(_NEW_SETTING.encode(), b"", 1)


def globals_for(script: str, major: int, roles: Collection[str]) -> str:
    """The statements about roles, for a new cluster that has some of them already.

    Args:
        script: what pg_dumpall wrote.
        major: the new cluster's major version.
        roles: the names of its roles, quoted where SQL wants it.
    """
    created = set(_CREATE.findall(script))
    script = _CREATE.sub(lambda line: "" if line["role"] in roles else line[0], script)

    def membership(line: re.Match[str]) -> str:
        if not {line["role"], line["member"]} <= {*roles, *created}:
            return ""  # a predefined role of another major version
        if major >= 16:
            return line[0]
        options = line["options"] or ""
        if "INHERIT FALSE" in options and "SET FALSE" in options:
            return ""  # who may only manage a role: until 15, whoever may create roles can
        admin = " WITH ADMIN OPTION" if "ADMIN" in options else ""
        return f"GRANT {line['role']} TO {line['member']}{admin};\n"

    return _MEMBERSHIP.sub(membership, script)
