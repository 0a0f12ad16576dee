"""Changes of projects: one at a time each, written down before and after, as operations.

`neonup_emulator.neon.state.change` has the parts of a change. A first transaction prepares it and
writes its operations and its intent; a second one makes it so and finishes the operations, so what
it writes depends on the rows as they are in it. `neonup_emulator.neon.recovery` cleans up after a
server that was killed in between.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress

from neonup import NeonupError
from neonup_emulator.neon.errors import Failed, Locked, NotFound, Refused
from neonup_emulator.neon.model import Operation, OperationStatus, Project
from neonup_emulator.neon.state.change import PlannedOperation, ProjectChange
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import Store, setting

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that an answer waits for the work; what takes longer is polled by the client."""
_WORKERS = 8


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
        planned: Iterable[PlannedOperation],
        change: ProjectChange,
        *,
        deleted: bool = False,
        new: bool = False,
    ) -> list[Operation]:
        """Carry out a change; waits for it, but not for long.

        Args:
            project: whose, as the caller was allowed to change it; nothing else changes it in the
                meantime.
            planned: what the operations will be called.
            change: what is done.
            deleted: the change is one of a deleted project.
            new: the project is in the intent.

        Returns:
            The operations, `running` where the work goes on.

        Raises:
            Locked: another change of the project is being carried out.
            NotFound: the project was deleted meanwhile, or is somebody else's now.
            Refused: what `prepare` raised, or the work within the time that is waited for it.
        """
        operations = self._operations(project, planned)
        taken = False
        try:
            self._take(project.id)
            taken = True
            with self._store.transaction():
                if not new:
                    self.check(project, deleted=deleted)
                intent = change.prepare()
                self._store.insert(*operations, *intent)
            future = self._workers.submit(self._carry_out, operations, change, intent)
        except BaseException:
            if taken:
                self._free(project.id)
            change.undo()
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

    def _operations(self, project: Project, planned: Iterable[PlannedOperation]) -> list[Operation]:
        now = self._clock.now()
        return [
            Operation(
                id=str(uuid.uuid4()),
                project_id=project.id,
                action=operation.action,
                branch_id=operation.branch_id,
                endpoint_id=operation.endpoint_id,
                created_at=now,
                updated_at=now,
            )
            for operation in planned
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
        self, operations: list[Operation], change: ProjectChange, intent: Sequence[Row]
    ) -> None:
        try:
            completion = change.work()
            with completion.held, self._store.transaction():
                completion.apply()
                self._end(operations, OperationStatus.FINISHED)
        except BaseException as error:
            message = getattr(error, "message", None) or str(error)
            with suppress(Exception), self._store.transaction():
                self._store.delete(*intent)
                self._end(operations, OperationStatus.FAILED, message)
            with suppress(Exception):
                change.undo()
            if isinstance(error, Refused):
                raise
            log.exception("%s failed", operations[0].action)
            if isinstance(error, NeonupError | OSError):
                raise Failed(message) from None
            raise
        finally:
            self._free(operations[0].project_id)
        for do in completion.after:
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
