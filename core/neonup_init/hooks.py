"""What a start says before it creates a project's first database; loaded then, and only then."""

from __future__ import annotations

from collections.abc import Iterable

from neonup import Settings, hookimpl

_SECONDS = 1.0
"""A start waits no longer for the look at a project's files."""


@hookimpl
def neonup_creating(settings: Settings) -> Iterable[str]:
    """Name a ``.env`` above that has the key, and what the code reads in place of the key."""
    from neonup_init.advice import advice

    try:
        return list(advice(settings, seconds=_SECONDS))
    except Exception:  # whatever is odd about the project's files is no reason to start nothing
        return []
