"""Runs a document's snippets from top to bottom, as a reader would, in one project.

What a fenced block does is said by its language and its first line:

- ``console``: each line after ``$`` is typed into one bash; where output stands below it, that
  must match (``...`` stands for anything). Every command must succeed, unless the block's info
  line says ``fails``. With ``background`` the command is left running once it has said that.
  The documented ports, of ``neonup serve`` and of an application, are free ones here.
- a first line that is a comment with a file name (``# main.py``, ``-- seed.sql``) writes the file.
- ``python`` without a file name is run by the project's Python; ``text`` is only looked at.
"""

from __future__ import annotations

import doctest
import os
import re
import selectors
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sybil import Document
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from tests.environments import layered_environment, offline_pip
from tests.postgres import free_port
from tests.waiting import wait_until

FILES = frozenset({"python", "toml", "sql", "ini", "yaml"})
SERVE, APPLICATION = "5540", "8000"
LANGUAGES = FILES | {"console", "text"}

_BLOCK = RawFencedCodeBlockLexer(re.compile(r"(?P<language>\w*)(?P<info>[^\n]*)\n"))
_FILE_NAME = re.compile(r"(?:#|--) (?P<name>[\w./-]+\.\w+|\.env)\n")
_COMMAND = re.compile(r"^\$ (?P<command>.*(?:\n> .*)*)\n?(?P<output>(?:(?!\$ ).*\n?)*)", re.M)
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_END = "\x1e"
_STATUS = re.compile(rf"{_END}(\d+){_END}".encode())
_SECONDS = 120.0


@dataclass(frozen=True)
class Snippet:
    """A fenced block and where it stands."""

    language: str
    info: str
    source: str
    where: str


def snippets(path: Path) -> Iterator[Snippet]:
    """The fenced blocks of a Markdown file, in order."""
    document = Document(path.read_text("utf-8"), str(path))
    for region in sorted(_BLOCK(document), key=lambda region: region.start):
        line = document.text.count("\n", 0, region.start) + 1
        found = region.lexemes
        source = str(found["source"])
        yield Snippet(found["language"], found["info"].strip(), source, f"{path.name}:{line}")


class Terminal:
    """One bash that types commands in a project's folder; use it as a context manager.

    Args:
        folder: where the commands run.
        environ: the whole environment.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]):
        self.folder = folder
        self.environ = dict(environ)

    def __enter__(self) -> Terminal:
        self._ports = {SERVE: str(free_port()), APPLICATION: str(free_port())}
        self._left_running = 0
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._bash.stdin is not None
        try:
            self._bash.stdin.write(b"kill -INT $(jobs -p) 2>/dev/null; wait\n")
            self._bash.stdin.close()
            self._bash.wait(120)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self._bash.kill()
            self._bash.wait()
        assert self._bash.stdout is not None
        self._bash.stdout.close()

    def run(self, snippet: Snippet) -> None:
        """Do what a snippet says; an `AssertionError` tells what did not come true."""
        if named := _FILE_NAME.match(snippet.source):
            path = self.folder / named["name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(snippet.source.removeprefix(named[0]).lstrip("\n"), "utf-8")
        elif snippet.language == "console":
            for typed in _COMMAND.finditer(snippet.source):
                self._type(typed["command"].replace("\n> ", "\n"), typed["output"], snippet)
        elif snippet.language == "python":
            self._type(f"python -c {shlex.quote(snippet.source)}", "", snippet)
        else:
            assert snippet.language == "text", f"{snippet.where}: names no file and is not run"

    def _type(self, command: str, expected: str, snippet: Snippet) -> None:
        if "background" in snippet.info:
            # A child of an interactive shell would answer Ctrl-C; this one must be told to.
            self._left_running += 1
            log = self.folder.parent / f"background-{self._left_running}.log"
            log.touch()
            command = command.replace("neonup serve", f"neonup serve --port {SERVE}")
            command = f"{{ set -m; {command} >{shlex.quote(str(log))} 2>&1 & }} 2>/dev/null; set +m"
        for documented, free in self._ports.items():
            command = re.sub(rf"(?<=[: ]){documented}\b", free, command)
        output, status = self._answer(command, snippet)
        if "background" in snippet.info:
            wait_until(
                lambda: log.stat().st_size and _matches(expected, self._said_in(log)),
                lambda: (
                    f"{snippet.where}: $ {command}\n--- documented\n{expected}\n"
                    f"--- seen\n{self._said_in(log)}"
                ),
            )
            return
        output = self._as_documented(output)
        wanted = "fails" if "fails" in snippet.info else "succeeds"
        happened = "succeeds" if status == 0 else "fails"
        assert happened == wanted, f"{snippet.where}: $ {command}\nended with {status}:\n{output}"
        assert _matches(expected, output), (
            f"{snippet.where}: $ {command}\n--- documented\n{expected}\n--- seen\n{output}"
        )

    def _said_in(self, log: Path) -> str:
        return self._as_documented(log.read_text("utf-8", errors="replace"))

    def _as_documented(self, output: str) -> str:
        for documented, free in self._ports.items():
            output = output.replace(free, documented)
        return output

    def _answer(self, command: str, snippet: Snippet) -> tuple[str, int]:
        stdin, stdout = self._bash.stdin, self._bash.stdout
        assert stdin is not None and stdout is not None
        # The command reads nothing of what is typed next; eval keeps its cd and its exports.
        typed = f"eval {shlex.quote(command)} </dev/null\nprintf '{_END}%d{_END}' $?\n"
        stdin.write(typed.encode())
        stdin.flush()
        collected = b""
        deadline = time.monotonic() + _SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not (end := _STATUS.search(collected)):
                left = deadline - time.monotonic()
                assert left > 0, f"{snippet.where}: $ {command}\nis still running: {collected!r}"
                if selector.select(left):
                    part = os.read(stdout.fileno(), 65536)
                    assert part, f"{snippet.where}: the shell ended: {collected!r}"
                    collected += part
        return collected[: end.start()].decode(errors="replace"), int(end[1])


def _matches(expected: str, output: str) -> bool:
    """Whether a command has said what is documented, which may be nothing."""
    checker = doctest.OutputChecker()
    wanted, got = f"{expected.strip()}\n", f"{output.strip()}\n"
    return not expected.strip() or checker.check_output(wanted, got, _FLAGS)


def reader_environment(folder: Path, neonup_home: Path) -> dict[str, str]:
    """The environment of a reader's terminal: a new virtual environment, nothing of the tests'."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "NEONUP_HOME": str(neonup_home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
    }
    return offline_pip(environ, layered_environment(folder / "venv"))
