"""A line for a start that is about to create a database which the project's code would not find."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from neonup import Settings
from neonup_init.parents import env_file_above

_NO_CODE = frozenset({".env", ".git", ".gitignore"})
"""What a new project's folder may have before it has code."""


def advice(settings: Settings, *, seconds: float) -> Iterator[str]:
    """What a person should know before the database is created.

    Args:
        settings: the project's; where an argument names a key or an env file, an
            application reads it.
        seconds: how long the project's files are looked at.
    """
    if settings.source("env_file") == "default":
        above = env_file_above(settings.project, {settings.key})
        if above is not None:
            shown = Path(os.path.relpath(above, settings.project)).as_posix()
            yield (
                f"{shown} has a {settings.key} already; `neonup init` proposes what lets this "
                "folder read it, else it gets a database of its own"
            )
            return
    if settings.source("key") not in ("default", "pyproject.toml"):
        return
    if {path.name for path in settings.project.iterdir()} <= _NO_CODE:
        return
    from neonup_init.proposal import propose  # which parses code and more

    table = dict.fromkeys(settings.sources) | {"variables": dict(settings.variables)}
    proposal = propose(settings.project, table, seconds=seconds)
    if proposal.connects:
        first = proposal.connects[0]
        names = list(dict.fromkeys(line.name for line in proposal.connects if line.table))
        names = names or [str(line.value) for line in proposal.connects]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield (
            f"the project reads {', '.join(names[:3])}{more} ({first.place}): "
            "`neonup init` proposes the settings for that"
        )
