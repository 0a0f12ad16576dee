"""Changes of projects: one at a time each, written down before and after, as operations.

A change has three parts. First it is looked at whether it may be, and what is meant to be is
written with the operations, as an intent, in one transaction. Then the work is done on the disk and
in Postgres, next to what exists. Then another transaction makes it so and finishes the operations;
what it writes depends on the rows as they are in it. `neonup_emulator.neon.recovery` cleans up
after a server that was killed in between.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from neonup import NeonupError
from neonup_emulator.neon.errors import Failed, Locked, NotFound, Refused
from neonup_emulator.neon.model import Operation, OperationStatus, Project
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import Store, setting

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that an answer waits for the work; what takes longer is polled by the client."""
_WORKERS = 8


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class PlannedOperation:
    """An operation to be."""

    action: str
    branch_id: str | None = None
    endpoint_id: str | None = None


@dataclass(frozen=True)
class Change:
    """What makes a change so, once its work is done."""

    apply: Callable[[], object] = _nothing
    """Inserts, changes and deletes rows, within the transaction that finishes the operations: what
    it reads is true until it is done, and what it raises leaves everything as it was."""
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
        project: Project,
        steps: Iterable[PlannedOperation],
        work: Callable[[], Change],
        *,
        begin: Callable[[], Sequence[Row]] = tuple,
        undo: Callable[[], None] = _nothing,
        deleted: bool = False,
        new: bool = False,
    ) -> list[Operation]:
        """Carry out a change; waits for it, but not for long.

        Args:
            project: whose, as the caller was allowed to change it; nothing else changes it in the
                meantime.
            steps: what the operations will be called.
            work: does it, and returns what makes it so; runs in a thread.
            begin: looks whether it may be, once nothing else can change the project, and returns
                its intent: rows to insert beforehand, which are deleted where the work fails. It
                runs in the transaction that inserts them.
            undo: called where it fails or is not even begun: takes back what was done for it.
            deleted: the change is one of a deleted project.
            new: the project is in the intent.

        Returns:
            The operations, `running` where the work goes on.

        Raises:
            Locked: another change of the project is being carried out.
            NotFound: the project was deleted meanwhile, or is somebody else's now.
            Refused: what `begin` raised, or the work within the time that is waited for it.
        """
        operations = self._operations(project, steps)
        taken = False
        try:
            self._take(project.id)
            taken = True
            with self._store.transaction():
                if not new:
                    self.check(project, deleted=deleted)
                intent = begin()
                self._store.insert(*operations, *intent)
            future = self._workers.submit(self._carry_out, operations, work, intent, undo)
        except BaseException:
            if taken:
                self._free(project.id)
            undo()
            raise
        wait([future], self._patience)
        if future.done():
            future.result()
        return [self._store.get(Operation, operation.id) or operation for operation in operations]

    @contextmanager
    def alone(self, project: Project, *, deleted: bool = False) -> Iterator[Project]:
        """A transaction in which nothing else changes the project, for what is no operation.

        Args:
            project: as the caller was allowed to change it.
            deleted: it is to be a deleted one.

        Returns:
            The project as it is now.

        Raises:
            Locked: another change of the project is being carried out.
            NotFound: the project was deleted meanwhile, or is somebody else's now.
        """
        with self.locked(project.id), self._store.transaction():
            yield self.check(project, deleted=deleted)

    @contextmanager
    def locked(self, project_id: str) -> Iterator[None]:
        """Nothing else changes a project in the block.

        Raises:
            Locked: another change of it is being carried out.
        """
        self._take(project_id)
        try:
            yield
        finally:
            self._free(project_id)

    def close(self) -> None:
        """Wait until everything that was begun is done."""
        self._workers.shutdown(wait=True)

    def _operations(self, project: Project, steps: Iterable[PlannedOperation]) -> list[Operation]:
        now = self._clock.now()
        return [
            Operation(
                id=str(uuid.uuid4()),
                project_id=project.id,
                action=step.action,
                branch_id=step.branch_id,
                endpoint_id=step.endpoint_id,
                created_at=now,
                updated_at=now,
            )
            for step in steps
        ]

    def check(self, project: Project, *, deleted: bool = False) -> Project:
        """The project as it is now, if it still is whose it was; to be called in a transaction.

        Args:
            project: as the caller was allowed to change it.
            deleted: it is to be a deleted one.

        Raises:
            NotFound: it was deleted meanwhile, or is somebody else's now.
        """
        current = self._store.get(Project, project.id)
        if (
            current is None
            or current.org_id != project.org_id
            or (current.deleted_at is not None) != deleted
        ):
            raise NotFound("project not found")
        return current

    def _carry_out(
        self,
        operations: list[Operation],
        work: Callable[[], Change],
        intent: Sequence[Row],
        undo: Callable[[], None],
    ) -> None:
        try:
            change = work()
            with change.held, self._store.transaction():
                change.apply()
                self._end(operations, "finished")
        except BaseException as error:
            message = getattr(error, "message", None) or str(error)
            with suppress(Exception), self._store.transaction():
                self._store.delete(*intent)
                self._end(operations, "failed", message)
            with suppress(Exception):
                undo()
            if isinstance(error, Refused):
                raise
            log.exception("%s failed", operations[0].action)
            if isinstance(error, NeonupError | OSError):
                raise Failed(message) from None
            raise
        finally:
            self._free(operations[0].project_id)
        for do in change.after:
            do()

    def _end(
        self, operations: list[Operation], status: OperationStatus, error: str | None = None
    ) -> None:
        ended = setting(status=status, error=error, updated_at=self._clock.now())
        for operation in operations:
            if self._store.get(Operation, operation.id) is not None:  # not with its project
                self._store.update(Operation, operation.id, ended)

    def _take(self, project_id: str) -> None:
        with self._lock:
            if project_id in self._busy:
                raise Locked("project already has running conflicting operations")
            self._busy.add(project_id)

    def _free(self, project_id: str) -> None:
        with self._lock:
            self._busy.discard(project_id)
