"""What a provider of a service keeps in neonup's home, of a project or of a database.

Each is a small JSON file that nobody else can read: it may hold a secret. It is written before a
service is asked for something that must not be created twice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from neonup import folders
from neonup.errors import ProviderError


class StateStore:
    """The files of a provider.

    Args:
        home: the folder of neonup's state.
        provider: whose files they are.
    """

    def __init__(self, home: Path, provider: str):
        self._folder = home / provider

    def read(self, name: str) -> dict[str, Any] | None:
        """What is kept under a name; None if nothing is, or it cannot be used.

        Raises:
            ProviderError: others can read it, or it cannot be read.
        """
        import json  # here, since a start that finds its database reads no file

        path = self._path(name)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                content = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ProviderError(f"{path} cannot be read: {error.strerror}.") from None
        if sys.platform != "win32" and mode & 0o077:
            raise ProviderError(
                f"{path} can be read by others, and may hold a secret; it is not used.",
                remedy=f"If nobody else has read it: chmod 600 {path}",
            )
        try:
            state = json.loads(content)
        except (ValueError, RecursionError):
            return None
        return state if isinstance(state, dict) else None

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep something under a name: whole or not at all, and on the disk when this returns.

        Raises:
            ProviderError: it could not be written.
        """
        import json

        from neonup.env import files

        path = self._path(name)
        try:
            folders.make_private(self._folder)
            files.write_private(path, json.dumps(content).encode())
        except OSError as error:
            raise ProviderError(
                f"{path} cannot be written: {error.strerror}.",
                remedy="Set NEONUP_HOME to a folder that you can write to.",
            ) from None

    def forget(self, name: str) -> None:
        """Keep nothing under a name any more.

        Raises:
            ProviderError: the file cannot be removed.
        """
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ProviderError(f"{path} cannot be removed: {error.strerror}.") from None

    def names(self) -> Iterator[str]:
        """Under which names something is kept."""
        for path in sorted(self._folder.glob("*.json")):
            yield path.stem

    def _path(self, name: str) -> Path:
        """The file; a name may come from ``.env``, and leads nowhere else."""
        if not name.replace("-", "").replace("_", "").isalnum():
            raise ProviderError(f"{name!r} cannot be the id of a database.")
        return self._folder / f"{name}.json"
