"""Whose database this is: folders are moved, copied and cloned, and ``.env`` goes with them.

A small file for each database, in neonup's home, lists the folders in which a start found it. The
folder that it was made for owns it as long as a file there still names it; where none does any
more, the folder was moved or deleted, and the next one that names the database owns it. Every other
folder only uses it: there nothing may delete or exchange its data, unless the owner is named.

A start whose folder is recorded as an owner reads that file and nothing else of this module; see
`neonup.start.lookup.is_recorded_here`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from neonup.database import USER, Database
from neonup.env import dotenv, git, record
from neonup.errors import NeonupError
from neonup.settings import Settings
from neonup.start import lookup

_MOST = 20
"""So many folders are remembered of one database; the owner is the first."""
_PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Use:
    """A folder that uses a database.

    Args:
        folder: the project's folder, absolute.
        env_file: the file that names the database there.
        mount: where the file system that has the folder was mounted.
        owns: whether the database is this folder's own.
    """

    folder: str
    env_file: str
    mount: str
    owns: bool


def uses(home: Path, provider: str, id_: str) -> list[Use]:
    """The folders that use a database, its owner first; none where that was never recorded."""
    try:
        data = Path(lookup.uses_file(home, provider, id_)).read_bytes()
    except OSError:
        return []
    parts = [os.fsdecode(part) for part in data.split(b"\0")]
    rows = zip(parts[1::4], parts[2::4], parts[3::4], strict=False)
    return [Use(head[1:], env_file, mount, head[:1] == "=") for head, env_file, mount in rows]


def settle(settings: Settings, database: Database) -> Path | None:
    """Find out whose database this is, and record that this folder uses it.

    Returns:
        The other folder that owns it; None: it is this folder's, or the user's own, or the setting
        ``owner`` names that folder.
    """
    if database.provider == USER or database.id is None:
        return None
    home, provider, id_ = settings.home, database.provider, database.id
    before = uses(home, provider, id_)
    after, owner = _settled(before, settings, database)
    if after != before:
        from neonup import folders, locks  # only what changes the record needs them

        try:
            folders.make_private(home / "locks")
            # Another folder may be at it.
            with locks.FileLock(home / "locks" / ".folders.lock", timeout=_PATIENCE):
                after, owner = _settled(uses(home, provider, id_), settings, database)
                _write(Path(lookup.uses_file(home, provider, id_)), after)
        except (OSError, NeonupError):  # a home that cannot be written to is no reason to fail
            pass
    if owner is None or _is_same(owner, settings.owner):
        return None
    return Path(owner)


def forget(home: Path, provider: str, id_: str) -> None:
    """Forget who used a database that was deleted."""
    Path(lookup.uses_file(home, provider, id_)).unlink(missing_ok=True)


def check(settings: Settings, database: Database, lost: str) -> None:
    """Refuse to change another folder's database, unless the setting ``owner`` names that folder.

    Args:
        database: as recorded.
        lost: what would happen to the data, e.g. ``deleted``.

    Raises:
        NeonupError: it is another folder's; or ``owner`` names a folder that does not own it.
    """
    owner = settle(settings, database)
    if owner is not None:
        raise NeonupError(
            f"This is the database of {owner}: a file there names it, too. Nothing was {lost}.",
            checked=[f"{database.key} from {database.source}"],
            remedy="`neonup fork` gives this folder a database of its own, with a copy of the "
            f"data. If that folder's is meant all the same: --of {owner}",
        )
    if settings.owner is not None and not _owns(settings, database, settings.owner):
        raise NeonupError(
            f"This database is not that of {settings.owner}. Nothing was {lost}.",
            checked=[f"{database.key} from {database.source}", "--of, or NEONUP_OWNER"],
            remedy="Leave --of out for this folder's own database.",
        )


def words(owner: Path) -> str:
    """What a start says of a database that is another folder's."""
    return f"it is the database of {owner}; `neonup fork` gives this folder a copy of its own"


def may_fork_by_itself(settings: Settings, database: Database, owner: Path) -> bool:
    """Whether a start gives this folder a copy of its own: in another worktree of the repository.

    Its ``.env`` was copied there by hand or by a tool. A link to the owner's file was meant.
    """
    return git.is_other_worktree(settings.project, owner) and has_own_file(settings, database)


def has_own_file(settings: Settings, database: Database) -> bool:
    """Whether the file that names the database here is no other folder's, so that it can change."""
    if database.source == lookup.ENVIRONMENT:
        return False
    return not any(
        _is_same(use.env_file, database.source)
        for use in uses(settings.home, database.provider, database.id or "")
        if not _is_same(use.folder, settings.project)
    )


def names(use: Use, provider: str, id_: str) -> bool:
    """Whether a folder still names a database; True where that cannot be found out."""
    own = Path(use.folder) / ".env"
    for path in dict.fromkeys([Path(use.env_file), own.with_name(".env.local"), own]):
        try:
            path.lstat()
            file = dotenv.read(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, NeonupError):
            return True
        recorded = (record.parse(file, key) for key in record.keys(file))
        if any(
            database and (database.provider, database.id) == (provider, id_)
            for database in recorded
        ):
            return True
    return False


def other_owner(settings: Settings, provider: str, id_: str) -> Path | None:
    """The other folder that owns a database which this folder does not name; None: none does.

    For providers whose databases' ids follow from the folder: who was moved away from here has
    taken the database along.
    """
    for use in uses(settings.home, provider, id_):
        if use.owns and not _is_same(use.folder, settings.project) and names(use, provider, id_):
            return Path(use.folder)
    return None


def _settled(
    before: list[Use], settings: Settings, database: Database
) -> tuple[list[Use], str | None]:
    """The uses with this folder's, and the other folder that owns the database, if one does."""
    here = _here(settings, database)
    mine = next((use for use in before if _is_same(use.folder, here.folder)), None)
    others = [use for use in before if use != mine]
    if mine is not None and mine.owns:
        here = replace(here, folder=mine.folder)  # as it is written there
        return [here if use == mine else use for use in before], None
    for use in others:
        if use.owns and names(use, database.provider, database.id or ""):
            if _is_shared(use, here):
                return [*others, here][:_MOST], None
            return before if mine else [*others[: _MOST - 1], replace(here, owns=False)], use.folder
    return [here, *(replace(use, owns=False) for use in others)][:_MOST], None


def _here(settings: Settings, database: Database) -> Use:
    file = Path(database.source or settings.env_file)
    if database.source == lookup.ENVIRONMENT:
        file = lookup.file_of(settings)
    return Use(os.fspath(settings.project), os.fspath(file), _mount(settings.project), owns=True)


def _is_shared(other: Use, here: Use) -> bool:
    """Whether two folders use one file, since a setting names one that is not in the folder."""
    return _is_same(other.env_file, here.env_file) and not all(
        Path(os.path.normpath(use.env_file)).is_relative_to(use.folder) for use in (other, here)
    )


def _is_same(path: str | Path | None, other: str | Path | None) -> bool:
    """Whether two paths lead to the same file or folder, by links or in other letters, too."""
    if path is None or other is None:
        return False
    try:
        return os.fspath(path) == os.fspath(other) or Path(path).samefile(other)
    except OSError:
        return False


def _owns(settings: Settings, database: Database, folder: Path) -> bool:
    id_ = database.id or ""
    return any(
        use.owns and _is_same(use.folder, folder)
        for use in uses(settings.home, database.provider, id_)
    )


def _mount(folder: Path) -> str:
    for place in (folder, *folder.parents):
        if os.path.ismount(place):
            return os.fspath(place)
    return os.fspath(folder.anchor)


def _write(path: Path, uses: list[Use]) -> None:
    from neonup.env import files

    path.parent.mkdir(exist_ok=True, mode=0o700)
    rows = (["", ("=" if use.owns else "?") + use.folder, use.env_file, use.mount] for use in uses)
    content = "\0".join(part for row in rows for part in row) + "\0"
    files.write_private(path, os.fsencode(content))
