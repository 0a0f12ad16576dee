"""Which files change, as the kernel tells it: a look at every file would take longer."""

from __future__ import annotations

import sys
from pathlib import Path

IS_POSSIBLE = sys.platform == "linux"
"""Whether this platform has inotify."""


class Watch:
    """Notes which files are written, made, removed or renamed in some folders.

    https://man7.org/linux/man-pages/man7/inotify.7.html

    Raises:
        OSError: the kernel's limit of watches is reached.
    """

    def __init__(self) -> None:
        from inotify_simple import INotify  # type: ignore[import-untyped]

        self._inotify = INotify()
        self._changed: dict[int, set[str]] = {}
        self._folders: dict[Path, int] = {}

    def add(self, folder: Path) -> None:
        """Begin to watch a folder.

        Raises:
            OSError: it is not there, or the kernel's limit of watches is reached.
        """
        from inotify_simple import flags

        changes = flags.MODIFY | flags.CREATE | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO
        number = self._inotify.add_watch(folder, changes | flags.ONLYDIR | flags.DONT_FOLLOW)
        self._folders[folder] = number
        self._changed[number] = set()

    def changed(self, folder: Path) -> set[str] | None:
        """The names of the files that changed up to now; None if that is not known."""
        self._read()
        number = self._folders.get(folder)
        return None if number is None else self._changed[number]

    def forget(self, folder: Path) -> None:
        """Take the folder as unchanged from now on."""
        self._read()
        self._changed[self._folders[folder]] = set()

    def close(self) -> None:
        """Watch no more."""
        self._inotify.close()

    def _read(self) -> None:
        from inotify_simple import flags

        for event in self._inotify.read(timeout=0):
            if event.mask & flags.Q_OVERFLOW:  # some are lost, and nobody knows whose
                self._folders.clear()
            elif event.name and event.wd in self._changed:
                self._changed[event.wd].add(event.name)
