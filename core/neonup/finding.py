"""A line of ``neonup doctor``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Args:
        topic: what was looked at.
        text: what was found.
        remedy: what to do about it; None if nothing is wrong.
    """

    topic: str
    text: str
    remedy: str | None = None
