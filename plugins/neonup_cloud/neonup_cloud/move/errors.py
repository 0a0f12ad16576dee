"""What push and pull raise where data was not moved."""

from __future__ import annotations

from typing import Unpack

from neonup import ErrorDetails, NeonupError


class MoveError(NeonupError):
    """Data could not be moved from one database to another; neither has changed.

    Args:
        missing: the extension that a server lacks, or ``icu``, where that is why.
    """

    code = "move"

    def __init__(
        self,
        message: str,
        *,
        missing: str | None = None,
        **details: Unpack[ErrorDetails],
    ):
        super().__init__(message, **details)
        self.missing = missing
