"""Changes of projects: one at a time each, written down before and after, as operations.

A change has three parts. What is meant to be is written with the operations, as an intent. Then
the work is done on the disk and in Postgres, next to what exists. Then one transaction makes it
so and finishes the operations. `neonup_emulator.neon.recovery` cleans up after a server that was
killed in between.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from neonup import NeonupError
from neonup_emulator.neon.errors import Failed, Locked, Refused
from neonup_emulator.neon.model import Operation, Row
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that an answer waits for the work; what takes longer is polled by the client."""
_WORKERS = 8


@dataclass(frozen=True)
class Step:
    """An operation to be."""

    action: str
    branch_id: str | None = None
    endpoint_id: str | None = None


@dataclass(frozen=True)
class Change:
    """Rows to write and to delete, together."""

    put: Sequence[Row] = ()
    delete: Sequence[Row] = ()
    after: Sequence[Callable[[], None]] = field(default=())
    """What can be done only once it is so, e.g. removing data that nothing points to any more."""
    held: AbstractContextManager[object] = field(default_factory=nullcontext)
    """Locks that the work took and that must be kept until it is so."""


class Journal:
    """Carries out changes.

    Args:
        store: where intents and operations are written.
        clock: which time it is.
        patience: seconds that `run` waits for the work.
    """

    def __init__(self, store: Store, clock: Clock, *, patience: float):
        self._store = store
        self._clock = clock
        self._patience = patience
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="neon-operation")

    def run(
        self,
        project_id: str,
        steps: Iterable[Step],
        work: Callable[[], Change],
        *,
        intent: Sequence[Row] = (),
        undo: Callable[[], None] | None = None,
    ) -> list[Operation]:
        """Carry out a change; waits for it, but not for long.

        Args:
            project_id: whose; nothing else changes it in the meantime.
            steps: what the operations will be called.
            work: does it, and returns what to write; runs in a thread.
            intent: rows to write beforehand; they are deleted where the work fails.
            undo: called where it fails or is not even begun: takes back what was done for it.

        Returns:
            The operations, `running` where the work goes on.

        Raises:
            Locked: another change of the project is being carried out.
            Refused: what the work raised, within the time that is waited for it.
        """
        undo = undo or _nothing
        try:
            self._take(project_id)
        except Locked:
            undo()
            raise
        now = self._clock.now()
        operations = [
            Operation(
                id=str(uuid.uuid4()),
                project_id=project_id,
                action=step.action,
                branch_id=step.branch_id,
                endpoint_id=step.endpoint_id,
                created_at=now,
                updated_at=now,
            )
            for step in steps
        ]
        try:
            self._store.put(*operations, *intent)
            future = self._workers.submit(self._carry_out, operations, work, intent, undo)
        except BaseException:
            self._free(project_id)
            undo()
            raise
        wait([future], self._patience)
        if future.done():
            future.result()
        return [self._store.get(Operation, one.id) or one for one in operations]

    @contextmanager
    def alone(self, project_id: str) -> Iterator[None]:
        """Nothing else changes the project in the block, for a change that is no operation.

        Raises:
            Locked: another change of the project is being carried out.
        """
        self._take(project_id)
        try:
            yield
        finally:
            self._free(project_id)

    def close(self) -> None:
        """Wait until everything that was begun is done."""
        self._workers.shutdown(wait=True)

    def _carry_out(
        self,
        operations: list[Operation],
        work: Callable[[], Change],
        intent: Sequence[Row],
        undo: Callable[[], None],
    ) -> None:
        project_id = operations[0].project_id
        try:
            change = work()
            with change.held, self._store.transaction():
                self._store.delete(*change.delete)
                self._store.put(*change.put, *self._ended(operations, "finished"))
        except BaseException as error:
            message = getattr(error, "message", None) or str(error)
            failed = [replace(one, error=message) for one in self._ended(operations, "failed")]
            with suppress(Exception), self._store.transaction():
                self._store.delete(*intent)
                self._store.put(*failed)
            with suppress(Exception):
                undo()
            if isinstance(error, Refused):
                raise
            log.exception("%s failed", operations[0].action)
            if isinstance(error, NeonupError | OSError):
                raise Failed(message) from None
            raise
        finally:
            self._free(project_id)
        for do in change.after:
            do()

    def _ended(self, operations: list[Operation], status: str) -> list[Operation]:
        now = self._clock.now()
        return [replace(one, status=status, updated_at=now) for one in operations]

    def _take(self, project_id: str) -> None:
        with self._lock:
            if project_id in self._busy:
                raise Locked("project already has running conflicting operations")
            self._busy.add(project_id)

    def _free(self, project_id: str) -> None:
        with self._lock:
            self._busy.discard(project_id)


def _nothing() -> None:
    """Take back nothing."""
