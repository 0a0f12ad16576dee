"""The table of capabilities: what cannot be done on every platform, and what is done instead.

Here is the core's part. A plugin has its own in a module of the same name, and
docs/operating-systems.md all of it. Where something is refused, the error comes from here: a branch
that tests ``sys.platform``, so that a type checker sees it, raises `Capability.refused`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from neonup.errors import EnvFileError, NeonupError

LINUX, MACOS, WINDOWS = "linux", "darwin", "win32"
"""As ``sys.platform`` has them."""

NAMES = {LINUX: "Linux", MACOS: "macOS", WINDOWS: "Windows"}


@dataclass(frozen=True)
class Capability:
    """What some platforms have, and others do not.

    Args:
        what: it is, as the page's row is called.
        on: the platforms that have it.
        instead: what is done elsewhere; where it is refused, what the user can do. A sentence.
        cannot: where a user is refused it elsewhere: the beginning of the error; None: nobody is.
        error: the class of the error.
    """

    what: str
    on: tuple[str, ...]
    instead: str
    cannot: str | None = None
    error: type[NeonupError] = NeonupError

    def refused(self) -> NeonupError:
        """The error for this platform: what cannot be done, on what, and what to do instead."""
        here = NAMES.get(sys.platform, sys.platform)
        needs = " or ".join(NAMES[platform] for platform in self.on)
        said = f"{self.cannot} on {here}" if self.cannot else f"{self.what}: not on {here}"
        return self.error(f"{said}; that needs {needs}.", remedy=self.instead)


CAPABILITIES = (
    PIPES := Capability(
        "A `.env` that is a named pipe, as password managers make them",
        (LINUX, MACOS),
        "Set the variable in the environment, which needs no file.",
        cannot="A named pipe cannot be read as a .env file",
        error=EnvFileError,
    ),
    Capability(
        "Files with secrets are their owner's alone, and are not used where others can read them",
        (LINUX, MACOS),
        "They have the permissions of the folder, which a user's profile keeps from others.",
    ),
    Capability(
        "`neonup run` and `neonup psql` become the program that they run",
        (LINUX, MACOS),
        "neonup waits for the program, and ends with its status.",
    ),
    Capability(
        "A URL leads to a Unix socket",
        (LINUX, MACOS),
        "Such a server counts as one that does not answer; with a host and a port it is found.",
    ),
)
"""What the core can do."""
