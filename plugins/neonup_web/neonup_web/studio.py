"""Where the project's studio is, for the page of its database: a link, or how to get one.

The studio notes its address beside neonup's other state; its package need not be installed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from neonup import Settings

COMMAND = "neonup studio"
_PACKAGE = "neonup_studio"


@dataclass(frozen=True)
class StudioHint:
    """What a page says of the studio.

    Args:
        address: of the one that runs; None: none does.
        install: what installs it first; None: it is installed.
    """

    address: str | None = None
    install: str | None = None


def hint(settings: Settings) -> StudioHint:
    """What to say of the studio of a project."""
    if find_spec(_PACKAGE) is None:
        from neonup.plugin.commands import install

        return StudioHint(install=install("studio"))
    from neonup_studio.server import running

    return StudioHint(running.address(settings))
