"""Adds settings to ``pyproject.toml`` as text, so that each byte of the user's stays.

Lines are put at the end of the table that they belong to. The result is read again: it must say
what the file said before and the new settings, or nothing is written. So no library is needed that
writes TOML, and a file in a form that is not expected is left to its owner.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neonup import NeonupError
from neonup.plugin import files
from neonup_init.proposal import PYTEST, VARIABLES, ProposedLine

_HEADER = re.compile(r"^[ \t]*\[")
NAME = "pyproject.toml"
_TABLES = {
    "": ("tool", "neonup"),
    VARIABLES: ("tool", "neonup", "variables"),
    PYTEST: ("tool", "pytest", "ini_options"),
}


@dataclass(frozen=True)
class ProjectFile:
    """A ``pyproject.toml`` as it is.

    Args:
        path: where it is; it need not exist.
        content: its bytes; None: there is none.
        data: what it says.
    """

    path: Path
    content: bytes | None
    data: dict[str, Any]

    @property
    def table(self) -> dict[str, Any]:
        """``[tool.neonup]``; empty where there is none."""
        tool = self.data.get("tool", {})
        table = tool.get("neonup", {}) if isinstance(tool, dict) else {}
        if not isinstance(table, dict) or not isinstance(table.get(VARIABLES, {}), dict):
            raise NeonupError(
                f"tool.neonup in {self.path} is not a table.", remedy="Correct it first."
            )
        return table

    @property
    def text(self) -> str:
        """The content, with its line ends."""
        return (self.content or b"").decode()


def load(path: Path) -> ProjectFile:
    """Read a file.

    Raises:
        NeonupError: it cannot be read, or is not valid TOML.
    """
    try:
        content = path.read_bytes()
        return ProjectFile(path, content, tomllib.loads(content.decode()))
    except FileNotFoundError:
        return ProjectFile(path, None, {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NeonupError(
            f"{path} is not valid TOML: {error}.", remedy="Correct it first; nothing was changed."
        ) from None
    except OSError as error:
        raise NeonupError(f"{path} cannot be read: {error.strerror}.") from None


def added(file: ProjectFile, lines: Sequence[ProposedLine]) -> str:
    """The file's text with more settings.

    Raises:
        NeonupError: its tables are written in a form that cannot be added to.
    """
    text = file.text
    newline = "\r\n" if "\r\n" in text else "\n"
    for table in _TABLES:
        new = [_line(line) for line in lines if line.table == table]
        if new:
            text = _with_lines(text, _header(table), new, newline)
    expected = deepcopy(file.data)
    for line in lines:
        table_data = expected
        for name in _TABLES[line.table]:
            table_data = table_data.setdefault(name, {})
        table_data[line.name] = line.value
    try:
        is_as_meant = tomllib.loads(text) == expected
    except tomllib.TOMLDecodeError:
        is_as_meant = False
    if not is_as_meant:
        raise NeonupError(
            f"{file.path} has tables of [tool] in a form that is not changed automatically.",
            remedy="Add by hand: " + "; ".join(_by_hand(line) for line in lines),
        )
    return text


def name_of(table: str) -> str:
    """A table's name in the file, such as ``tool.neonup.variables``."""
    return ".".join(_TABLES[table])


def _header(table: str) -> str:
    return f"[{name_of(table)}]"


def _line(line: ProposedLine) -> str:
    return f"{line.name} = {json.dumps(line.value, ensure_ascii=False)}"


def _by_hand(line: ProposedLine) -> str:
    return f"{_line(line)} in {_header(line.table)}"


def _with_lines(text: str, header: str, new: Sequence[str], newline: str) -> str:
    """Lines at the end of a table, which is made at the end of the file where there is none."""
    rows = text.splitlines(keepends=True)
    pattern = re.compile(rf"^[ \t]*{re.escape(header)}[ \t]*(?:#.*)?[\r\n]*$")
    start = next((number for number, row in enumerate(rows) if pattern.match(row)), None)
    added = [f"{line}{newline}" for line in new]
    if start is None:
        return _joined(rows, [f"{header}{newline}", *added], newline, apart=True)
    end = next((n for n in range(start + 1, len(rows)) if _HEADER.match(rows[n])), len(rows))
    while end > start + 1 and (not rows[end - 1].strip() or rows[end - 1].lstrip().startswith("#")):
        end -= 1  # a comment above the next table belongs to that
    return _joined(rows[:end], added, newline, apart=False) + "".join(rows[end:])


def _joined(rows: Sequence[str], added: Sequence[str], newline: str, *, apart: bool) -> str:
    before = "".join(rows)
    if before and not before.endswith(("\n", "\r")):
        before += newline
    blank = newline if apart and before and not before.endswith(newline * 2) else ""
    return f"{before}{blank}{''.join(added)}"


def write(file: ProjectFile, text: str) -> None:
    """Put the new text in the file's place; a link stays one, mode and owner stay.

    Raises:
        NeonupError: it has changed meanwhile, may not be written to, or could not be written.
    """
    data = text.encode()
    if file.content is None:
        files.create(file.path, data, mode=0o644)
        return
    if not file.path.stat().st_mode & stat.S_IWUSR:  # root could write to it all the same
        raise NeonupError(
            f"{file.path} is read-only; nothing was changed.", remedy=f"chmod u+w {file.path}"
        )
    if file.path.read_bytes() != file.content:
        raise NeonupError(
            f"{file.path} has changed meanwhile; nothing was written.", remedy="Run this again."
        )
    files.replace(file.path, data)
