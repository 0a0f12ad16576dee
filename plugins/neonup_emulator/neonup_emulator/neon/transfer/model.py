"""What the store keeps of offers."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.row import Owner, Row


class TransferRequest(Row, frozen=True):
    """A project that is offered to whoever has the request's id; the row's id is the hash of it.

    Args:
        org_id: whose project it was then; once it is another's, the request is void.
        user_id: who gives it.
        personal: whether they do so as a person; once they have no right to, the request is void.
    """

    OWNER: ClassVar[Owner] = Project

    project_id: str
    org_id: str
    user_id: str
    personal: bool
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
