"""Which files of a project are looked at: its own, within limits of number, size and time."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from neonup_init.evidence import FileLine

_SKIPPED = frozenset(
    {
        "__pycache__",
        "__pypackages__",
        "build",
        "dist",
        "dist-packages",
        "node_modules",
        "site-packages",
    }
    | {"target", "vendor", "third_party", "docs", "doc", "examples", "frontend", "static", "media"}
    | {"locale", "htmlcov", "venv", "virtualenv"}
)
_TEST_FOLDERS = frozenset({"test", "tests", "testing"})
_BYTES = 1 << 19
_ENTRIES = 20_000
_SUFFIXES = (".py", ".sql")
ENV_EXAMPLE = re.compile(
    r"\.?env[._-](?:example|sample|template|dist|defaults?|local\.example|dev\.example)"
    r"|(?:example|sample|template)\.env|\.env\.(?:dev|development|local)[._-](?:example|sample)"
    r"|env\.(?:example|sample|template)",
    re.IGNORECASE,
)
COMPOSE = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml", re.IGNORECASE)


class ProjectFiles:
    """The files of one project, read once.

    Args:
        folder: the project's.
        seconds: after so many nothing more is listed or read.
    """

    def __init__(self, folder: Path, *, seconds: float = 20.0) -> None:
        self.folder = folder
        self.complete = True
        self._deadline = time.monotonic() + seconds
        self.nested: list[Path] = []
        """Folders below that are projects of their own; they are left out."""
        self.paths = sorted(self._walk(), key=lambda path: (len(path.parts), str(path)))

    def _walk(self) -> Iterator[Path]:
        entries = 0
        for name, folders, files in os.walk(self.folder):
            here = Path(name)
            if here != self.folder and _is_project(files):
                self.nested.append(here)
                folders.clear()
                continue
            is_environment = "pyvenv.cfg" in files or (
                here != self.folder and ".git" in [*files, *folders]
            )
            entered = (
                [] if is_environment else [entry for entry in folders if _is_looked_into(entry)]
            )
            folders[:] = sorted(entered)
            entries += len(files)
            if entries > _ENTRIES or time.monotonic() > self._deadline:
                self.complete = False
                return
            if not is_environment:
                yield from (here / file for file in files if _is_of_interest(file))

    def read(self, path: Path) -> bytes:
        """A file's first bytes; none where it cannot be read or the time is over."""
        if time.monotonic() > self._deadline:
            self.complete = False
            return b""
        try:
            if not path.is_file():  # not a pipe, on which this would wait
                return b""
            with path.open("rb") as file:
                return file.read(_BYTES)
        except OSError:
            return b""

    def text(self, path: Path) -> str:
        """The same as text; what is no UTF-8 is replaced."""
        return self.read(path).decode("utf-8-sig", "replace")

    def named(self, *names: str) -> list[Path]:
        """The files that have one of these names, those nearest to the top first."""
        return [path for path in self.paths if path.name in names]

    def place(self, path: Path, line: int) -> FileLine:
        """A line of one of the files."""
        return FileLine(self.relative(path), line)

    def relative(self, path: Path) -> str:
        """A path from the project's folder, with ``..`` where it is outside."""
        return Path(os.path.relpath(path, self.folder)).as_posix()

    def is_test(self, path: Path) -> bool:
        """Whether a file belongs to the tests."""
        parts = path.relative_to(self.folder).parts
        name = parts[-1]
        return (
            bool(_TEST_FOLDERS & {*parts[:-1]})
            or name in ("conftest.py", "tests.py")
            or name.startswith("test_")
            or name.endswith("_test.py")
        )


def _is_project(files: list[str]) -> bool:
    return "pyproject.toml" in files or "manage.py" in files  # as `neonup.find_project` has it


def _is_looked_into(folder: str) -> bool:
    return folder not in _SKIPPED and not folder.startswith(".") and "{" not in folder


def _is_of_interest(name: str) -> bool:
    return (
        name.endswith(_SUFFIXES)
        or name
        in (
            "alembic.ini",
            "aerich.ini",
            "pytest.ini",
            "tox.ini",
            "setup.cfg",
            ".flaskenv",
            "Pipfile",
        )
        or name == "pyproject.toml"
        or (name.endswith(".txt") and "require" in name.lower())
        or name.endswith((".txt", ".in"))
        or bool(ENV_EXAMPLE.fullmatch(name) or COMPOSE.fullmatch(name))
    )
