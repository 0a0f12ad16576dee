"""Creating a project or a branch once, whatever happens on the way.

Its name is decided on and stored before Neon is asked for it. Where the answer is lost, or the
process is killed, the next try looks for that name first.
"""

from __future__ import annotations

import re
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from neonup import DatabaseSpec, ProviderError, Settings
from neonup.plugin.http import Call, drive
from neonup.plugin.project import StateStore, state_name
from neonup_cloud import NeonClient
from neonup_cloud.account import location as locations
from neonup_cloud.account.git_branches import GitBranches, neon_name
from neonup_cloud.account.location import DatabaseLocation
from neonup_cloud.api.client import Groups
from neonup_cloud.api.errors import AnswerLost, Conflict, NeonError, NotFound, UnusableAnswer
from neonup_cloud.api.idempotent_create import create_once, look_repeatedly
from neonup_cloud.options import AccountOptions

T = TypeVar("T")
ROLE, DATABASE = "neondb_owner", "neondb"
"""Neon's own choice for new projects."""


@dataclass(frozen=True)
class CreatedDatabase:
    """What this call or an earlier try has created.

    Args:
        location: where it is.
        new: whether no earlier call has returned it.
    """

    location: DatabaseLocation
    new: bool


class AccountCreation:
    """The creation of a project's database.

    Args:
        neon: the account.
        store: where the name of what is created is stored.
        key: under which key of the store.
        options: what is wanted.
        major: Postgres's major version of a new project; Neon's choice if None.
        parent: the branch whose data a new branch has; the default one's if None.
    """

    def __init__(
        self,
        neon: NeonClient,
        store: StateStore,
        key: str,
        options: AccountOptions,
        *,
        major: int | None = None,
        parent: str | None = None,
    ):
        self._neon = neon
        self._calls = Groups(neon.api, None)
        self._store = store
        self._key = key
        self._options = options
        self._major = major
        self._parent = parent

    @classmethod
    def of(
        cls,
        neon: NeonClient,
        store: StateStore,
        options: AccountOptions,
        settings: Settings,
        spec: DatabaseSpec,
    ) -> AccountCreation:
        """The creation of what a start asks for.

        A copy is a branch of the database's branch. What takes the place of a git branch's Neon
        branch is a new one of the same parent.
        """
        key = state_name(spec.project, spec.env_file, spec.key)
        major = settings.postgres
        if spec.copy_of is not None:
            origin = locations.now(neon, locations.parse(spec.copy_of.id), spec.copy_of.url)
            options = replace(options, project=origin.project, branch=None)
            return cls(neon, store, key, options, parent=locations.branch_of(neon, origin).id)
        replaced = spec.replaces.id if spec.replaces else None
        git_branch = GitBranches.of(settings).of_database(replaced)
        first = (store.read(key) or {}).get("id")
        if spec.replaces is None or not git_branch or replaced == first:
            return cls(neon, store, key, options, major=major)
        old = locations.now(neon, locations.parse(replaced), spec.replaces.url)
        options = replace(options, project=old.project, branch=neon_name(git_branch))
        parent = locations.branch_of(neon, old).parent_id
        of_branch = f"{key}-{zlib.crc32(git_branch.encode()):08x}"
        return cls(neon, store, of_branch, options, parent=parent)

    def run(self, spec: DatabaseSpec) -> CreatedDatabase:
        """Return what an earlier try has created for the same key, or create it.

        Raises:
            NeonError: Neon refused, or did not answer.
            ProviderError: there is a branch of the requested name that neonup did not create.
        """
        record = self._store.read(self._key) or {}
        name = record.get("wanted")
        if isinstance(name, str) and (location := self._earlier(record, name)):
            if not spec.replaces or spec.replaces.id != str(location):
                self._remember(record | {"id": str(location)})
                return CreatedDatabase(location, new="id" not in record)
            name = None
        elif "id" in record:
            name = None  # it was deleted
        again = isinstance(name, str) and record.get("project") == self._options.project
        name = str(name) if again else self._new_name(spec)
        location = self._create(name, again=again, logical_replication=spec.logical_replication)
        return CreatedDatabase(location, new=True)

    def _earlier(self, record: dict[str, object], name: str) -> DatabaseLocation | None:
        """What an earlier try has created; None if there is nothing."""
        project, org = record.get("project"), record.get("org")
        if isinstance(id_ := record.get("id"), str):
            project_id, _, branch_id = id_.partition("/")
            return self._existing(DatabaseLocation(project_id, branch_id or None))
        look = self._looking_for(
            name,
            project=project if isinstance(project, str) else None,
            org=org if isinstance(org, str) else None,
        )
        return self._drive(look_repeatedly(look))

    def _existing(self, location: DatabaseLocation) -> DatabaseLocation | None:
        try:
            if location.branch:
                self._neon.branches.get(location.project, location.branch)
            else:
                self._neon.projects.get(location.project)
        except NotFound:
            return None
        return location

    def _looking_for(
        self, name: str, *, project: str | None, org: str | None
    ) -> Callable[[], Call[DatabaseLocation | None]]:
        """A look for the project, or the project's branch, of a name that nobody else uses."""

        def look() -> Call[DatabaseLocation | None]:
            if project:
                branches = yield from self._calls.branches.list(project, search=name)
                ids = [branch.id for branch in branches if branch.name == name]
                return DatabaseLocation(project, ids[0]) if ids else None
            projects = yield from self._calls.projects.list(org_id=org, search=name)
            ids = [candidate.id for candidate in projects if candidate.name == name]
            return DatabaseLocation(ids[0]) if ids else None

        return look

    def _new_name(self, spec: DatabaseSpec) -> str:
        """A name that nothing has: its random part makes sure that only its creation is found."""
        base = re.sub(r"[^a-z0-9]+", "-", spec.project.name.lower()).strip("-")[:40] or "neonup"
        if self._options.project and self._options.branch:
            if not spec.replaces:
                self._refuse_taken(self._options.project, self._options.branch)
                return self._options.branch
            base = self._options.branch
        return f"{base}-{secrets.token_hex(5)}"

    def _refuse_taken(self, project: str, name: str) -> None:
        if any(branch.name == name for branch in self._neon.branches.list(project, search=name)):
            raise ProviderError(
                f"The project {project} has a branch {name!r} already, and neonup did not create "
                "it.",
                remedy="Name another one (NEONUP_ACCOUNT_BRANCH), or use that one: neonup adopt "
                f"--project {project} --branch {name}",
            )

    def _create(self, name: str, *, again: bool, logical_replication: bool) -> DatabaseLocation:
        """Create what has this name.

        Args:
            again: whether an earlier try has requested it, and it was not found.
        """
        options = self._options
        record: dict[str, object] = {"wanted": name, "project": options.project, "org": options.org}
        self._remember(record)
        unanswered = (AnswerLost, UnusableAnswer, *((Conflict,) if again else ()))

        def request() -> Call[DatabaseLocation]:
            try:
                return (yield from self._request(name, logical_replication=logical_replication))
            except NeonError as error:
                if not isinstance(error, unanswered):
                    self._store.forget(self._key)  # Neon refused: there is nothing to look for
                raise

        look = self._looking_for(name, project=options.project, org=options.org)
        creation = create_once(request, look, repeatable=False, requested_before=again)
        try:
            location = self._drive(creation)
        except unanswered as error:
            error.remedy = "Try again: neonup looks for it first, so that there is only one."
            raise
        self._remember(record | {"id": str(location)})
        if again and not options.project:
            self._delete_others(name, location)
        return location

    def _delete_others(self, name: str, location: DatabaseLocation) -> None:
        """Delete what an earlier request created after its process had given up.

        The name has a random part, so no other creation has it.
        """
        for project in self._neon.projects.list(org_id=self._options.org, search=name):
            if project.name == name and project.id != location.project:
                self._neon.projects.delete(project.id)

    def _request(self, name: str, *, logical_replication: bool) -> Call[DatabaseLocation]:
        options = self._options
        if options.project:
            branch = yield from self._calls.branches.create(
                options.project, name=name, parent_id=self._parent
            )
            return DatabaseLocation(options.project, branch.branch.id)
        project = yield from self._calls.projects.create(
            name=name,
            org_id=options.org,
            region_id=options.region,
            pg_version=self._major,
            settings={"enable_logical_replication": True} if logical_replication else None,
            branch={"role_name": ROLE, "database_name": DATABASE},
        )
        return DatabaseLocation(project.project.id)

    def _remember(self, record: dict[str, object]) -> None:
        self._store.write(self._key, record)

    def _drive(self, call: Call[T]) -> T:
        return drive(call, self._neon.sender)
