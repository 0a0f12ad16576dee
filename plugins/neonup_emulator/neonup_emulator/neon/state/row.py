"""The base of all rows, which say whose they are and what becomes of them with their owner."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Optional

from msgspec import Struct

Owner = Optional[type["Row"]]  # noqa: UP045 - the class is not there yet
"""A kind of row, or None. (Not spelt in the rows: fields are called `type`, too.)"""


class Row(Struct, frozen=True, kw_only=True):
    """Something with an id. Each kind of row says who owns it, or that nobody does.

    `neonup_emulator.neon.state.ownership` derives from that what is removed with a project or a
    branch, what a new branch begins with, and what a start takes back after a crash.
    """

    OWNER: ClassVar[Owner]
    """The kind of row without which this one has no meaning: it is removed with its owner."""

    id: str

    def __init_subclass__(cls) -> None:
        """Refuse a kind that does not say who owns it.

        Raises:
            TypeError: it has no `OWNER`.
        """
        super().__init_subclass__()
        if "OWNER" not in cls.__dict__:
            raise TypeError(f"{cls.__name__} must say who owns it: OWNER = None, or a kind of row")

    @property
    def is_unfinished(self) -> bool:
        """Whether the change that creates it has not ended."""
        return False

    @property
    def cluster_ids(self) -> tuple[str, ...]:
        """The clusters whose data it needs."""
        return ()

    def inherited(self, branch_id: str, now: datetime) -> Row | None:
        """The row that a new branch with the same data begins with; None: it begins with none.

        Args:
            branch_id: the new branch.
            now: when it is created.
        """
        return None
