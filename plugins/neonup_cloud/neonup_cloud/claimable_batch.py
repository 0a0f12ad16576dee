"""Many unclaimed databases at once, for a class or a workshop; each is recorded before the next.

What is recorded is a file in neonup's home that nobody else can read: it has the URLs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from neonup import Database, DatabaseSpec, NeonupError, ServiceError, Settings, State
from neonup.plugin.files import make_private
from neonup.plugin.locks import FileLock, LockTimeout
from neonup.plugin.project import StateStore, provider_class

T = TypeVar("T")
PROVIDER = "claimable"
_TOO_MANY = 429
_PATIENCE = 30.0
"""Seconds to wait where the service says that it is too much, but not how long."""
UNCLAIMED, CLAIMED, EXPIRED, GONE = "unclaimed", "claimed", "expired", "gone"
_STATES = {State.CLAIMED: CLAIMED, State.EXPIRED: EXPIRED, State.MISSING: GONE}


class BatchStopped(Exception):
    """Somebody has asked to stop; what was created is recorded."""


@dataclass(frozen=True)
class BatchRow:
    """One of the databases. ``repr`` shows neither its URL nor its code.

    Args:
        number: from 1.
        project_id: of its Neon project.
        url: the pooled URL.
        direct_url: the URL past the pooler.
        expires_at: when it is deleted unless claimed; ISO 8601.
        state: when it was last looked at: `UNCLAIMED`, `CLAIMED`, `EXPIRED` or `GONE`.
        claim_link: with which a person takes it into an account; empty: no code was asked for.
        claim_code: what the link's page asks for.
        claim_until: when the code ends; ISO 8601.
    """

    number: int
    project_id: str
    url: str = field(repr=False)
    direct_url: str = field(repr=False)
    expires_at: str = ""
    state: str = UNCLAIMED
    claim_link: str = field(default="", repr=False)
    claim_code: str = field(default="", repr=False)
    claim_until: str = ""

    def database(self) -> Database:
        """The database, as its provider takes it."""
        expires_at = datetime.fromisoformat(self.expires_at) if self.expires_at else None
        return Database(self.url, PROVIDER, self.project_id, self.direct_url, expires_at=expires_at)


class ClaimableBatch:
    """The databases of a name; for one command at a time, see `held`.

    Args:
        settings: say where the service is, and where neonup's home is.
        name: of letters, digits, dashes and underscores.
        tell: is told what is waited for.
        stop: set when no further request is to be sent.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        tell: Callable[[str], object] = bool,
        stop: threading.Event | None = None,
    ):
        self._settings = settings
        self._name = name
        self._tell = tell
        self._stop = stop or threading.Event()
        self._store = StateStore(settings.home, "batches")
        self._provider = provider_class(PROVIDER)(settings)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other commands away from the databases of this name.

        Raises:
            NeonupError: one is at it.
        """
        folder = self._settings.home / "batches"
        make_private(folder)
        lock = FileLock(folder / f"{self._name}.lock", timeout=0)
        try:
            lock.acquire()
        except LockTimeout:
            raise NeonupError(
                f"Another command is busy with the databases of {self._name}.",
                remedy="Wait until it has ended, or name others: --name",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def rows(self) -> list[BatchRow]:
        """The databases that are recorded, by number."""
        rows = (BatchRow(**row) for row in self._content().get("rows", []))
        return sorted(rows, key=lambda row: row.number)

    def written(self, path: Path) -> list[str]:
        """The digests of what may have been written to a file of the rows; empty: nothing."""
        return list(self._content().get("files", {}).get(str(path), []))

    def note_written(self, path: Path, digests: list[str]) -> None:
        """Record what may be in a file from now on; empty: it is gone."""
        content = self._content()
        files = {**content.get("files", {}), str(path): digests}
        self._write({**content, "files": {key: value for key, value in files.items() if value}})

    def create(self, count: int, *, pause: float) -> Iterator[BatchRow]:
        """Create what is missing of so many databases; each is recorded when it is yielded.

        An earlier call that was killed is gone on with.

        Args:
            count: of all.
            pause: seconds between two.

        Raises:
            BatchStopped: somebody asked for it.
            NeonupError: the earlier ones have expired, or the service refused or did not answer.
        """
        rows = {row.number: row for row in self.rows()}
        if rows and all(_is_over(row) for row in rows.values()):
            raise NeonupError(
                f"The databases of {self._name} have expired, unless they were claimed.",
                remedy=f"neonup claimable delete --name {self._name} forgets them; or name others: "
                "--name",
            )
        missing = [number for number in range(1, count + 1) if number not in rows]
        for number in missing:
            if number != missing[0]:
                self._wait(pause)
            spec = self._spec(number)
            database = self._patiently(partial(self._provider.provision, spec))
            expires_at = database.expires_at.isoformat() if database.expires_at else ""
            row = BatchRow(
                number, database.id or "", database.url, database.direct, expires_at=expires_at
            )
            self._put(row)
            yield row

    def look(self) -> Iterator[BatchRow]:
        """Ask what became of each, and record that.

        Raises:
            BatchStopped: somebody asked for it.
            NeonupError: the service refused or did not answer.
        """
        for row in self.rows():
            inspection = self._patiently(partial(self._provider.inspect, row.database()))
            looked_at = replace(row, state=_STATES.get(inspection.state, UNCLAIMED))
            if looked_at.state != UNCLAIMED:
                looked_at = replace(looked_at, claim_link="", claim_code="", claim_until="")
            self._put(looked_at)
            yield looked_at

    def renew_codes(self) -> Iterator[tuple[BatchRow, NeonupError | None]]:
        """Ask for a code for each that is unclaimed; an earlier one that nobody has used ends.

        Returns:
            Each row, and why there is no code where the service refuses one, e.g. since somebody is
            claiming the database at this moment.

        Raises:
            BatchStopped: somebody asked for it.
            NeonupError: the service did not answer.
        """
        for row in self.look():
            if row.state != UNCLAIMED:
                yield row, None
                continue
            try:
                offer = self._patiently(partial(self._provider.begin_claim, row.database()))
            except ServiceError as error:
                if error.status is None:
                    raise
                yield row, error
                continue
            until = offer.expires_at.isoformat(timespec="seconds") if offer.expires_at else ""
            renewed = replace(
                row, claim_link=offer.url, claim_code=offer.code or "", claim_until=until
            )
            self._put(renewed)
            yield renewed, None

    def delete(self) -> Iterator[BatchRow]:
        """Delete those that are unclaimed, and forget those that are gone.

        Returns:
            Each row with what it was.

        Raises:
            BatchStopped: somebody asked for it.
            NeonupError: the service refused or did not answer.
        """
        for row in self.look():
            if row.state == UNCLAIMED:
                self._patiently(partial(self._provider.delete, row.database()))
            if row.state != CLAIMED:
                self._drop(row)
            yield row

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask as often as the service says that these are too many requests."""
        while True:
            if self._stop.is_set():
                raise BatchStopped
            try:
                return ask()
            except ServiceError as error:
                if error.status != _TOO_MANY:
                    raise
                seconds = error.retry_after or _PATIENCE
            self._tell(
                f"The service asks to wait {seconds:.0f} s; Ctrl-C stops, and loses nothing."
            )
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise BatchStopped

    def _spec(self, number: int) -> DatabaseSpec:
        """What the provider knows a database by until it is recorded here."""
        place = self._settings.home / "batches" / self._name
        return DatabaseSpec(place, f"DATABASE_{number}", place, ref=self._settings.ref)

    def _put(self, row: BatchRow) -> None:
        others = [other for other in self.rows() if other.number != row.number]
        self._write_rows([*others, row])

    def _drop(self, row: BatchRow) -> None:
        self._write_rows([other for other in self.rows() if other.number != row.number])

    def _write_rows(self, rows: list[BatchRow]) -> None:
        self._write({**self._content(), "rows": [asdict(row) for row in rows]})

    def _content(self) -> dict[str, Any]:
        return self._store.read(self._name) or {}

    def _write(self, content: dict[str, Any]) -> None:
        if content.get("rows") or content.get("files"):
            self._store.write(self._name, content)
        else:
            self._store.forget(self._name)


def _is_over(row: BatchRow) -> bool:
    remaining = row.database().expires_in
    return remaining is not None and remaining.total_seconds() <= 0
