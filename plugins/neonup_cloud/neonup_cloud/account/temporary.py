"""A branch for a run of tests. It is deleted at the end of the run, by the next run, or by Neon."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from neonup import Database, NeonupError, Settings, SettingsError
from neonup.plugin.files import make_private
from neonup_cloud.account import current, linked, linked_branch, location
from neonup_cloud.options import AccountOptions

if TYPE_CHECKING:
    from neonup.plugin.locks import FileLock
    from neonup_cloud import NeonClient
    from neonup_cloud.account.linked import NeonLink

LIFETIME = timedelta(hours=6)
"""After which Neon deletes a branch by itself."""
_PREFIX = "neonup-test-"


@dataclass
class TemporaryBranch:
    """A branch that lives as long as this process. ``repr`` shows no password.

    Args:
        project_id: of which project.
        id: the branch's id.
        name: its name.
        url: leads to its database, past the pooler.
    """

    project_id: str
    id: str
    name: str
    url: str = field(repr=False)
    _settings: Settings = field(repr=False)
    _record: Path = field(repr=False)
    _lock: FileLock = field(repr=False)

    @classmethod
    def create(
        cls, settings: Settings, database: Database | None, *, parent: str | None = None
    ) -> TemporaryBranch:
        """A new branch of the project of ``NEON_PROJECT_ID``, of a database's, or of ``.neon``'s.

        What earlier processes on this machine left, which were killed, is deleted first.

        Args:
            settings: the project's.
            database: the application's own, as ``.env`` records it; the branch is another one.
            parent: the name or id of the branch whose data it gets; if None, that of ``.neon``, or
                the default one.

        Raises:
            NeonupError: it cannot be made, or it is unknown of which project.
        """
        folder = settings.home / "test-branches"
        make_private(folder)
        with _client(settings) as neon:
            link = linked.link_of(AccountOptions.of(settings), settings.project)
            project_id = _project(neon, settings, database, link)
            parent_id = _parent(neon, project_id, parent, link)
            _sweep(neon, folder)
            name = f"{_PREFIX}{secrets.token_hex(6)}"
            lock, record = _locked(folder, name), folder / f"{name}.json"
            try:
                # Before Neon is asked: whatever happens then, the next run finds it.
                _write(record, {"project": project_id, "name": name})
                return cls(
                    project_id, *_made(neon, project_id, name, parent_id), settings, record, lock
                )
            except BaseException:
                with contextlib.suppress(NeonupError):
                    _delete(neon, project_id, name)
                    record.unlink(missing_ok=True)
                _release(lock)
                raise

    def delete(self) -> None:
        """Delete the branch.

        Raises:
            NeonupError: it could not be; the next run tries again, and Neon in the end.
        """
        try:
            with _client(self._settings) as neon:
                _delete(neon, self.project_id, self.name)
            self._record.unlink(missing_ok=True)
        finally:
            _release(self._lock)


def _client(settings: Settings) -> NeonClient:
    from neonup_cloud import NeonClient

    return NeonClient(base_url=AccountOptions.of(settings).url)


def _project(
    neon: NeonClient, settings: Settings, database: Database | None, link: NeonLink | None
) -> str:
    chosen = AccountOptions.of(settings)
    if chosen.project:
        return chosen.project
    project_id = current.project_id(neon, settings, database, chosen.org)
    if project_id is None and link is not None:
        project_id = link.project
    if project_id is None:
        raise SettingsError(
            "It is unknown which Neon project the tests' branch is to be made of.",
            checked=(f"{settings.key} in {settings.env_file}", "NEON_PROJECT_ID", ".neon"),
            remedy="Set NEON_PROJECT_ID.",
        )
    return project_id


def _made(
    neon: NeonClient, project_id: str, name: str, parent_id: str | None
) -> tuple[str, str, str]:
    made = neon.branches.create(
        project_id,
        name=name,
        parent_id=parent_id,
        expires_at=(datetime.now(UTC) + LIFETIME).replace(microsecond=0),
    )
    neon.operations.wait(made.operations)
    return made.branch.id, name, location.urls(neon, made.branch).direct


def _parent(
    neon: NeonClient, project_id: str, text: str | None, link: NeonLink | None
) -> str | None:
    if text is None:
        branch = linked_branch.named(neon, link, project_id)
        return branch.id if branch else None
    for branch in neon.branches.list(project_id, search=text):
        if text in (branch.id, branch.name):
            return branch.id
    raise SettingsError(f"The project {project_id} has no branch {text!r}.")


def _sweep(neon: NeonClient, folder: Path) -> None:
    """Delete the branches of processes that have ended."""
    from neonup.plugin.locks import LockTimeout

    for record in folder.glob(f"{_PREFIX}*.json"):
        try:
            lock = _locked(folder, record.stem)
        except LockTimeout:
            continue  # it lives
        try:
            with contextlib.suppress(NeonupError, OSError, ValueError, KeyError, TypeError):
                _delete(neon, json.loads(record.read_text("utf-8"))["project"], record.stem)
                record.unlink(missing_ok=True)
        finally:
            _release(lock)


def _delete(neon: NeonClient, project_id: str, name: str) -> None:
    """Delete the branch of a name, if it is there; only names of ours are looked for."""
    from neonup_cloud.api.errors import NotFound

    with contextlib.suppress(NotFound):
        for branch in neon.branches.list(project_id, search=name):
            if branch.name == name:
                neon.operations.settle(project_id)
                neon.branches.delete(project_id, branch.id)


def _write(path: Path, record: dict[str, str]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as opened:
        json.dump(record, opened)


def _locked(folder: Path, name: str) -> FileLock:
    from neonup.plugin.locks import FileLock

    lock = FileLock(folder / f"{name}.lock", timeout=0)
    lock.acquire()
    return lock


def _release(lock: FileLock) -> None:
    lock.release()
    lock.path.unlink(missing_ok=True)
