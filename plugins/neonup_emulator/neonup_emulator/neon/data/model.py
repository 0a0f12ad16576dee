"""The rows of data directories."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.row import Owner, Row


class ClusterOrigin(StrEnum):
    """How a cluster's data and what the store knows of it go together."""

    NEW = "new"
    """It was made of the template; the store's names and passwords are to be set in it."""
    COPIED = "copied"
    """It was copied from another; the store's passwords are to be set in it."""
    RESTORED = "restored"
    """It has roles, databases or passwords of another time."""
    STARTED = "started"
    """Its server runs, or was killed: the store may not know what was done in SQL."""
    STOPPED = "stopped"
    """Its server was stopped in order: the store knows what is in it."""


class Base(Struct, frozen=True):
    """A data directory from which later moments of a cluster can be built.

    Args:
        id: its folder's name.
        at: the first moment that it leads to.
        begin: the segment of the log with which it begins.
    """

    id: str
    at: datetime
    begin: str


class Cluster(Row, frozen=True):
    """A data directory.

    Args:
        state: whether the store knows what is in it, and it what is in the store.
        bases: from which its past can be built, oldest first.
        own_names: what the template's role and database are called in it. They are renamed by the
            first start that finds them; None: they keep their names.
    """

    OWNER: ClassVar[Owner] = Project

    project_id: str
    engine: str
    bases: list[Base]
    own_names: tuple[str, str] | None = None
    state: ClusterOrigin = ClusterOrigin.NEW

    @property
    def lacks_passwords(self) -> bool:
        """Whether the next start of its server has to set what the store knows."""
        return self.state in (ClusterOrigin.NEW, ClusterOrigin.COPIED, ClusterOrigin.RESTORED)

    @property
    def may_differ(self) -> bool:
        """Whether it may have roles and databases that the store does not know."""
        return self.state in (ClusterOrigin.STARTED, ClusterOrigin.RESTORED)
