"""The shape of a change of a project: prepare, work, apply, undo.

A change is looked at whether it may be, and names the rows that it means to insert (`prepare`).
Then it works on the disk and in Postgres, next to what exists (`work`), and returns what makes it
so: rows, written in one transaction with the end of its operations (`Completion.apply`). Where any
of that fails, `undo` takes the work back. `neonup_emulator.neon.state.journal` carries changes out;
those that build data are in `neonup_emulator.neon.changes`, a class each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from neonup_emulator.neon.state.row import Row


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class PlannedOperation:
    """An operation that a change will write into the journal: its action, and what it concerns."""

    action: str
    branch_id: str | None = None
    endpoint_id: str | None = None


@dataclass(frozen=True)
class Completion:
    """What makes a change so, once its work is done."""

    apply: Callable[[], object] = _nothing
    """Inserts, changes and deletes rows, within the transaction that finishes the operations: what
    it reads is true until it is done, and what it raises leaves everything as it was."""
    after: Sequence[Callable[[], None]] = field(default=())
    """What can be done only once it is so, e.g. removing data that nothing points to any more."""
    held: AbstractContextManager[object] = field(default_factory=nullcontext)
    """Locks that the work took and that must be kept until it is so."""


class ProjectChange(ABC):
    """A change of a project, in the parts in which it is carried out."""

    def prepare(self) -> Sequence[Row]:
        """Check that the change may be, and return its intent.

        Nothing else changes the project from now on. The intent are rows to insert beforehand,
        in the same transaction; they are deleted where the work fails.

        Raises:
            Refused: it may not be.
        """
        return ()

    @abstractmethod
    def work(self) -> Completion:
        """Do it; runs in a thread, outside of transactions."""

    def undo(self) -> None:  # noqa: B027 - most leave nothing behind
        """Take back what was done for it, because it failed or was not even begun."""


class SimpleChange(ProjectChange):
    """A change whose parts are functions.

    Args:
        work: see `ProjectChange.work`; so are the others.
        prepare: by default there is nothing to check, and no intent.
        undo: by default there is nothing to take back.
    """

    def __init__(
        self,
        work: Callable[[], Completion],
        *,
        prepare: Callable[[], Sequence[Row]] = tuple,
        undo: Callable[[], None] = _nothing,
    ):
        self._work = work
        self._prepare = prepare
        self._undo = undo

    def prepare(self) -> Sequence[Row]:
        return self._prepare()

    def work(self) -> Completion:
        return self._work()

    def undo(self) -> None:
        self._undo()
