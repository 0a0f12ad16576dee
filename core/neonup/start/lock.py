"""One start at a time provisions, wakes or rewrites for one key of one project.

That holds between processes and between the threads of one: a thread owns the lock. It may take it
again within; another thread waits, and so does a forked child.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from neonup.errors import NeonupError
from neonup.settings import Settings

_PATIENCE = 300.0  # seconds: a first Postgres on a slow disk and a long migration fit in


@contextmanager
def project(settings: Settings) -> Iterator[None]:
    """Hold the project's lock; it falls with its process. Its thread may take it again within.

    What was read before is not true inside: another start may have been at it meanwhile.

    Raises:
        NeonupError: another start has held it for five minutes, or its file cannot be locked.
    """
    from neonup import folders, locks  # only the path that makes or wakes something needs them

    path = settings.home / "locks" / f"{settings.state_name}.lock"
    with ExitStack() as stack:
        try:
            folders.make_private(path.parent)
            stack.enter_context(locks.reentrant(path, _PATIENCE))
        except locks.LockTimeout:
            raise NeonupError(
                f"Another start of neonup has been busy with {settings.project} for "
                f"{_PATIENCE / 60:.0f} minutes.",
                checked=[f"its lock is {path}"],
                remedy="Find its process with `ps`, end it, and try again.",
            ) from None
        except OSError as error:
            raise NeonupError(
                f"{path} cannot be locked: {error.strerror}.",
                remedy="Set NEONUP_HOME to a folder on a disk of this machine that you can write "
                "to.",
            ) from None
        yield
