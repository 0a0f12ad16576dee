"""The ``.env`` file as text: read as python-dotenv reads it, changed without touching the rest.

Writing happens in one of three ways, each leaving the old file or the new one, never a part:

- a file that does not exist is created beside its place and linked into it;
- the first block is one append in one write, so mode, owner, links and mounts stay;
- only a renewal rewrites lines, and only those that are neonup's.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from neonup.errors import EnvFileError
from neonup.values import Value

LIMIT = 4 << 20
"""Bytes: what is larger is no ``.env`` file, and would not fit into memory in the end."""

_NO_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""What the system says where no file can be reached by that name."""

_BOM = "\ufeff"
# Newlines, quotes and backslashes could end or continue a statement of the file; `$` and the
# backtick mean something to a shell that sources it, and `#` begins a comment for some readers.
_UNSAFE = r"""[^!-~]|["'\\$`#]"""
_PLAIN = r"""(?:(?:#[^\n\r]*|[A-Za-z_]\w*=[!%&(-\[\]-_a-~]*)\n)*"""
"""Lines that need no parser: comments, and values of letters, digits and harmless signs."""


class Statement(Value):
    """A statement or a comment of the file.

    Args:
        key: the variable; None for a comment.
        value: what it is set to; None if it is only named.
        text: all of it, with the white space before it and its line end.
    """

    key: str | None
    value: str | None
    text: str


class EnvFile(Value):
    """What a ``.env`` file holds.

    Args:
        path: the file, which need not exist.
        text: its content without a byte order mark; None if there is no file.
    """

    path: Path
    text: str | None = None
    bom: bool = False

    @property
    def statements(self) -> list[Statement]:
        """The statements and comments in order; their texts add up to the whole."""
        text = self.text or ""
        if re.fullmatch(_PLAIN, text, re.ASCII):
            return [_plain(line) for line in io.StringIO(text)]
        from dotenv.parser import parse_stream  # which takes longer than the rest of a start

        return [
            Statement(binding.key, binding.value, binding.original.string)
            for binding in parse_stream(io.StringIO(text, newline=""))
        ]

    def values(self) -> dict[str, str]:
        """The variables that python-dotenv sees, the last of a name winning, without empty ones."""
        pairs = [
            (statement.key, statement.value)
            for statement in self.statements
            if statement.key is not None
        ]
        if "${" in (self.text or ""):
            from dotenv.main import resolve_variables

            pairs = list(resolve_variables(pairs, override=True).items())
        return {key: value for key, value in dict(pairs).items() if key and value}


def _plain(line: str) -> Statement:
    key, sign, value = line.rstrip("\n").partition("=")
    if line.startswith("#") or not sign:
        return Statement(None, None, line)
    return Statement(key, value, line)


def read(path: Path, *, pipes: bool = True) -> EnvFile:
    """The file as it is; without a text where no file with a text is at that path.

    That holds for a directory (a virtual environment, what docker makes of a bind mount), a socket,
    a device, and a link that leads nowhere. A named pipe is read once in this process: what was
    read is no longer in it.

    Args:
        pipes: False: of a named pipe, only what this process has read before.

    Raises:
        EnvFileError: it cannot be read, is not UTF-8, or is larger than any ``.env`` file.
    """
    try:
        raw = _content(path, pipes)
    except OSError as error:
        if error.errno in _NO_FILE:
            return EnvFile(path)
        raise EnvFileError(
            f"{path} cannot be read: {error.strerror}.",
            remedy="Make it readable, or name another file with --env or env_file.",
        ) from None
    if raw is None:
        return EnvFile(path)
    if len(raw) > LIMIT:
        raise EnvFileError(
            f"{path} is larger than {LIMIT >> 20} MB, which no .env file is.",
            remedy="Name another file with --env or env_file.",
        )
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise EnvFileError(
            f"{path} is not UTF-8: line {line} has a byte that cannot be read.",
            remedy="Save it as UTF-8; nothing was changed.",
        ) from None
    return EnvFile(path, text.removeprefix(_BOM), bom=text.startswith(_BOM))


def _content(path: Path, pipes: bool) -> bytes | None:
    """The file's first bytes, one more than may be; None: it is no file with a text."""
    mode = path.stat().st_mode
    if stat.S_ISFIFO(mode):
        from neonup.env import pipe

        return pipe.read(path, LIMIT) if pipes else pipe.read_before(path)
    if not stat.S_ISREG(mode):
        return None
    with open(path, "rb", opener=_without_waiting) as stream:
        return stream.read(LIMIT + 1)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file that may have become a pipe meanwhile, whose opening waits for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def check_writable(path: Path) -> None:
    """Fail before a database is created if its URL could not be written afterwards.

    Raises:
        EnvFileError: the file, or the folder for a new one, is not writable, or it is no file.
    """
    from neonup.env import files

    place = files.target(path)
    while not os.path.exists(place):  # noqa: PTH110 - a Path raises where it may not look
        place = place.parent
    if not os.access(place, os.W_OK):
        raise EnvFileError(
            f"{path} cannot be written: {place} is read-only for you.",
            remedy="Make it writable, or name another file with --env or env_file.",
        )


def safe_value(value: str) -> bool:
    """Whether a value can stand unquoted in the file and means the same to every reader."""
    return bool(value) and not re.search(_UNSAFE, value)


def assignment(name: str, value: str) -> str | None:
    """A line that gives a variable a value, quoted if need be; None: no reader would agree on it.

    In single quotes a value is what it is to python-dotenv, a shell and docker, whatever else it
    holds than a quote, a backslash and ``${``, in which python-dotenv puts another variable.
    """
    if not value or safe_value(value):
        return f"{name}={value}"
    if value.isprintable() and not re.search(r"""['\\]|\$\{""", value):
        return f"{name}='{value}'"
    return None


def add(file: EnvFile, lines: Sequence[str], *, expect: dict[str, str]) -> None:
    """Append lines, in one write; a new file gets mode 0600.

    Args:
        file: the file as it was read.
        lines: without line ends; they get the file's own.
        expect: what python-dotenv must find afterwards, beside all that it found before.

    Raises:
        EnvFileError: it could not be written, and is as it was; or the file's own content, such as
            a quote that is never closed, would swallow the new lines.
    """
    from neonup.env import files  # which most starts don't need

    text = file.text or ""
    newline = "\r\n" if "\r\n" in text else "\n"
    lead = "" if not text or text.endswith(("\n", "\r")) else newline
    block = lead + newline.join(lines) + newline
    _verify(file, text + block, expect)
    if file.text is None:
        files.create(file.path, block.encode())
    else:
        files.append(file.path, block.encode())


def rewrite(
    file: EnvFile,
    managed: Collection[int],
    lines: Sequence[str],
    *,
    expect: dict[str, str],
    instead: Mapping[int, str] | None = None,
    drop_line_end: bool = False,
) -> None:
    """Put lines in place of the managed ones, named by index; every other byte stays.

    Args:
        file: the file as it was read.
        managed: which statements are replaced.
        lines: without line ends.
        expect: as `add`.
        instead: for some of the managed statements, what stands there after the lines.
        drop_line_end: whether the line end at the end of what is left goes, too.

    Raises:
        EnvFileError: as `add`.
    """
    if not managed:
        add(file, lines, expect=expect)
        return
    from neonup.env import files

    instead = instead or {}
    statements = file.statements
    replaced = statements[min(managed)].text  # its line end, not that of other lines
    newline = "\r\n" if replaced.endswith("\r\n") else "\n"
    pieces: list[str] = []
    for index, statement in enumerate(statements):
        original = statement.text
        if index in managed:
            original = original[: len(original) - len(original.lstrip())]  # blank lines stay
            if index == min(managed):
                original += "".join(line + newline for line in lines)
            original += instead.get(index, "")
        pieces.append(original)
    text = "".join(pieces)
    if drop_line_end:
        text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    restored = EnvFile(file.path, "".join(instead.values())).statements
    back = [statement.key for statement in restored if statement.key]
    _verify(file, text, expect, managed, back)
    files.replace(file.path, ((_BOM if file.bom else "") + text).encode())


def _verify(
    file: EnvFile,
    text: str,
    expect: dict[str, str],
    managed: Collection[int] = (),
    back: Collection[str] = (),
) -> None:
    after = EnvFile(file.path, text)
    values = after.values()
    wrong = [key for key, value in expect.items() if values.get(key) != value]
    unmanaged = [text for index, text in enumerate(file.statements) if index not in managed]
    changed = {*expect, *back}
    if wrong or _others(unmanaged, changed) != _others(after.statements, changed):
        raise EnvFileError(
            f"{file.path} cannot be extended: its existing content would change what the new "
            "lines mean.",
            checked=[f"{key} would be read with another value" for key in wrong],
            remedy="Look for an unclosed quote. Nothing was changed.",
        )


def _others(
    statements: Sequence[Statement], changed: Collection[str]
) -> list[tuple[str | None, str | None]]:
    return [
        (statement.key, statement.value)
        for statement in statements
        if statement.key and statement.key not in changed
    ]
