"""The last statements of a project, in neonup's home; never what they answered.

They are the user's own words, and may name what is private: the folder and the file are readable
by the user alone, and a statement with a password in it is not kept.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from neonup import Settings
from neonup.plugin.files import make_private, write_private
from neonup.plugin.locks import FileLock, LockTimeout

MOST = 100
"""Statements that are kept."""
SIZE = 512 * 1024
"""Characters of all of them."""
_PATIENCE = 5.0
"""Seconds to wait for another studio of the same project; it writes for milliseconds."""
_ERROR = 300
_SECRET = re.compile(r"\bpassword\b\"?\s*(=|:|\$|[eu]?&?')", re.IGNORECASE)
"""A password that is set, or is part of a connection string."""


@dataclass(frozen=True)
class PastStatement:
    """A statement that was run.

    Args:
        id: names it in an address.
        query: its text.
        at: when it began, in ISO 8601.
        where: the database, as the page calls it.
        milliseconds: how long it took.
        answer: what the last of its statements answered, as Postgres says it: ``SELECT 3``.
        error: why it failed; empty where it did not.
        kind: ``run``, or how its plan was asked for.
    """

    id: str
    query: str
    at: str
    where: str
    milliseconds: int
    answer: str = ""
    error: str = ""
    kind: str = "run"

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """From the file.

        Raises:
            TypeError, ValueError: it is none.
        """
        made = cls(**content)
        datetime.fromisoformat(made.at)
        if not isinstance(made.query, str):
            raise TypeError
        return made

    @property
    def moment(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.at)


class StatementHistory:
    """What was run in a project's studio, newest first; two studios may use it at once.

    Args:
        settings: of the project.
    """

    def __init__(self, settings: Settings):
        self._file = settings.home / "studio" / f"{settings.state_name}.history.json"

    def statements(self) -> list[PastStatement]:
        """All that are kept; none where the file cannot be read."""
        try:
            content = json.loads(self._file.read_text("utf-8"))
            return [PastStatement.of(each) for each in content]
        except (OSError, ValueError, TypeError, RecursionError):
            return []

    def find(self, id_: str) -> PastStatement | None:
        """The statement with that id."""
        return next((each for each in self.statements() if each.id == id_), None)

    def add(
        self,
        query: str,
        *,
        where: str,
        milliseconds: int,
        answer: str,
        error: str,
        kind: str,
    ) -> None:
        """Keep a statement, unless a password is in it; the same once more takes its place.

        It is not worth an error if it cannot be written.

        Args:
            query: and the others: as `PastStatement` has them.
        """
        if not query.strip() or _SECRET.search(query):
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        id_ = secrets.token_urlsafe(8)
        error = error if len(error) <= _ERROR else f"{error[:_ERROR]}…"
        new = PastStatement(id_, query, now, where, milliseconds, answer, error, kind)

        def with_new(known: list[PastStatement]) -> list[PastStatement]:
            if known and (known[0].query, known[0].where) == (query, where):
                known = known[1:]
            return _bounded([new, *known])

        self._change(with_new)

    def clear(self) -> None:
        """Forget all."""
        self._change(lambda _: [])

    def _change(self, change: Callable[[list[PastStatement]], list[PastStatement]]) -> None:
        with suppress(OSError, LockTimeout):
            make_private(self._file.parent)
            with _lock(self._file):
                content = [asdict(each) for each in change(self.statements())]
                write_private(self._file, json.dumps(content).encode())


def _lock(file: Path) -> FileLock:
    return FileLock(file.with_suffix(".lock"), _PATIENCE, mode=0o600)


def _bounded(statements: list[PastStatement]) -> list[PastStatement]:
    """The newest, as many as there is room for."""
    kept: list[PastStatement] = []
    size = 0
    for each in statements[:MOST]:
        size += len(each.query) + len(each.error)
        if kept and size > SIZE:
            break
        kept.append(each)
    return kept
