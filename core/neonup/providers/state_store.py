"""What a provider of a service keeps in neonup's home, of a project or of a database.

Each is a small JSON file that nobody else can read: it may hold a secret. It is written before a
service is asked for something that must not be created twice.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from neonup import folders
from neonup.errors import ProviderError


def place(project: Path, env_file: Path, key: str) -> str:
    """A file name for a key of a project's ``.env``; the same however the path is written."""
    where = f"{os.path.realpath(env_file)}\n{key}"
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in project.name[:20])
    return f"{name or 'project'}-{zlib.crc32(os.fsencode(where)):08x}"


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
        if os.name == "posix" and mode & 0o077:
            raise ProviderError(
                f"{path} can be read by others, and may hold a secret; it is not used.",
                remedy=f"If nobody else has read it: chmod 600 {path}",
            )
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Keep something under a name: whole or not at all, and on the disk when this returns.

        Raises:
            ProviderError: it could not be written.
        """
        import json

        path = self._path(name)
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            folders.make_private(self._folder)
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
                file.flush()
                os.fsync(descriptor)
            beside.replace(path)
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
