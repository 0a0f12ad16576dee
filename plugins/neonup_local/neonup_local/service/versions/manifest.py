"""The versions in a database's folder: ``versions/<id>/`` with ``version.json`` and ``data/``."""

from __future__ import annotations

import json
import secrets
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from neonup import EngineError, Version
from neonup_local.service import home as homes

FOLDER = "versions"
_RECORD = "version.json"
_MAKING = ".making-"


@dataclass(frozen=True)
class VersionManifest:
    """What is recorded of a version.

    Args:
        name: what a person calls it; unique among the database's.
        engine: the id of the Postgres that ran its data.
        size: bytes on disk.
        automatic: whether neonup took it by itself.
        id: its folder's name.
        created_at: ISO 8601, UTC.
    """

    name: str
    engine: str
    size: int = 0
    automatic: bool = False
    id: str = field(default_factory=lambda: f"ver-{secrets.token_hex(4)}")
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())

    def version(self) -> Version:
        """As the rest of neonup knows it."""
        at = datetime.fromisoformat(self.created_at)
        return Version(self.id, self.name, at, self.size, self.automatic)


def place(folder: Path, id: str) -> Path:  # noqa: A002
    """The folder of a version in a database's folder."""
    return folder / FOLDER / id


def all_of(folder: Path) -> list[VersionManifest]:
    """The versions of a database, newest first."""
    manifests = []
    for path in (folder / FOLDER).glob("ver-*"):
        with suppress(FileNotFoundError):  # deleted meanwhile: only changes are made under the lock
            if (path / "data").is_dir():  # else it is not finished
                manifests.append(_read(path))
    return sorted(manifests, key=lambda manifest: manifest.created_at, reverse=True)


def _read(path: Path) -> VersionManifest:
    """A version's record; where that is damaged, what the folder says, so that it can be deleted.

    Its data may be sound still, and a restore says if it is not.
    """
    try:
        manifest = VersionManifest(**json.loads((path / _RECORD).read_bytes()))
        datetime.fromisoformat(manifest.created_at)
        return manifest if manifest.id == path.name else _guess(path)
    except (OSError, ValueError, TypeError):
        return _guess(path)


def _guess(path: Path) -> VersionManifest:
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return VersionManifest(path.name, "", id=path.name, created_at=at.isoformat())


def begin(folder: Path) -> Path:
    """A new folder for a version that is being made; only `finish` makes it one.

    Raises:
        EngineError: it cannot be made.
    """
    making = folder / FOLDER / f"{_MAKING}{secrets.token_hex(4)}"
    try:
        homes.make_folder(making)
    except OSError as error:
        raise _not_written(making, error) from None
    return making


def finish(folder: Path, making: Path, manifest: VersionManifest) -> Path:
    """Make a version of what `begin` gave and the caller filled.

    Raises:
        EngineError: its record cannot be written.
    """
    target = place(folder, manifest.id)
    try:
        (making / _RECORD).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        making.rename(target)
    except OSError as error:
        raise _not_written(target, error) from None
    return target


def remove(folder: Path, id: str) -> None:  # noqa: A002
    """Remove a version; half of one is none.

    Raises:
        EngineError: a file cannot be removed.
    """
    trash = folder / FOLDER / f"{_MAKING}{secrets.token_hex(4)}"
    try:
        place(folder, id).rename(trash)
        shutil.rmtree(trash)
    except OSError as error:
        raise EngineError(
            f"The version {id} could not be removed: {error.strerror}.",
            checked=[str(error.filename)],
        ) from None


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left half-made or half-removed; under the database's lock."""
    for path in (folder / FOLDER).glob("*"):
        if path.name.startswith(_MAKING) or not (path / "data").is_dir():
            shutil.rmtree(path, ignore_errors=True)


def _not_written(path: Path, error: OSError) -> EngineError:
    return EngineError(
        f"A version could not be kept in {path.parent}: {error.strerror}.",
        remedy="Free some space or allow writing there.",
    )
