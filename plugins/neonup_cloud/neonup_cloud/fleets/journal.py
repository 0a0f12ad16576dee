"""A file that records which projects a migration has done, so that a later run skips them.

A line of JSON each. The first names the run; a line that was cut off by a crash counts for
nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, Any

from neonup import SettingsError


class MigrationJournal:
    """The record of a migration.

    Args:
        file: opened for appending; None: nothing is written down.
        done: the ids of what is done.
    """

    def __init__(self, file: IO[str] | None, done: frozenset[str] = frozenset()):
        self.done = done
        self._file = file
        self._lock = Lock()

    def write(self, project_id: str, error: str | None) -> None:
        """Record the result of one project; it is on the disk when this returns.

        Args:
            error: why the migration failed; None if it succeeded.
        """
        self._append({"project": project_id, "done": error is None, "error": error})

    def begin(self, name: str) -> None:
        """Record the name of the run."""
        self._append({"run": name})

    def _append(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


@contextmanager
def opened(path: Path | None, name: str) -> Iterator[MigrationJournal]:
    """Open the journal of a run, for this process alone.

    Args:
        path: the file, created if needed; None: nothing is recorded.
        name: of the run, e.g. the migration's.

    Raises:
        SettingsError: the file is another run's, or of another form, or another process uses it.
    """
    if path is None:
        yield MigrationJournal(None)
        return
    from neonup.plugin.locks import FileLock, LockTimeout  # only this needs it

    try:
        with FileLock(f"{path}.lock", timeout=0):
            lines = _read(path)
            other = lines.pop(0).get("run") if lines else None
            if lines and other != name:
                raise SettingsError(
                    f"The journal {path} belongs to another run: {other!r}, not {name!r}.",
                    remedy="Use a journal for each run; delete it when the run is complete.",
                )
            done = frozenset(str(line["project"]) for line in lines if line.get("done"))
            with path.open("a", encoding="utf-8") as file:
                journal = MigrationJournal(file, done)
                if other is None:
                    journal.begin(name)
                yield journal
    except LockTimeout:
        raise SettingsError(
            f"Another process uses the journal {path}.", remedy="Wait until it has ended."
        ) from None
    except OSError as error:
        raise SettingsError(f"The journal {path} cannot be used: {error.strerror}.") from None


def _read(path: Path) -> list[dict[str, Any]]:
    """The complete lines of a journal; an incomplete last line is removed from the file."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(path, len(whole))
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
        if all(isinstance(line, dict) for line in lines) and (not lines or "run" in lines[0]):
            return lines
    except ValueError:
        pass
    raise SettingsError(
        f"{path} is not a journal of a migration.", remedy="Name another file for the journal."
    )
