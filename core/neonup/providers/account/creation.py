"""Creating a project or a branch once, whatever happens on the way.

Its name is decided on and kept before Neon is asked for it. Where the answer is lost, or the
process is killed, the next try looks for that name first.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass

from neonup.database import DatabaseSpec
from neonup.errors import ProviderError
from neonup.neon import NeonClient
from neonup.neon.errors import AnswerLost, Conflict, NeonError, NotFound, UnusableAnswer
from neonup.providers.account.place import Place
from neonup.providers.kept import Kept
from neonup.tables import AccountOptions

LOOKS = (0.0, 0.5, 1.5)
"""Seconds before each look for what may have been created: it may take the service a moment."""
ROLE, DATABASE = "neondb_owner", "neondb"
"""Neon's own choice for new projects."""


@dataclass(frozen=True)
class Found:
    """What was created or found.

    Args:
        place: where it is.
        anew: whether nobody was told of it before.
    """

    place: Place
    anew: bool


class Creation:
    """The creation of a project's database.

    Args:
        neon: the account.
        kept: where its name is kept.
        name: under which name that is.
        options: what is wanted.
    """

    def __init__(self, neon: NeonClient, kept: Kept, name: str, options: AccountOptions):
        self._neon = neon
        self._kept = kept
        self._name = name
        self._options = options

    def run(self, spec: DatabaseSpec) -> Found:
        """What an earlier try has created for the same place, or something new.

        Raises:
            NeonError: Neon refused, or did not answer.
            ProviderError: a branch of the name that was asked for is there, and not neonup's.
        """
        record = self._kept.read(self._name) or {}
        wanted = record.get("wanted")
        if isinstance(wanted, str) and (place := self._settle(record, wanted)):
            anew = "id" not in record
            if not spec.replaces or spec.replaces.id != str(place):
                self._remember(record | {"id": str(place)})
                return Found(place, anew)
            wanted = None
        elif "id" in record:
            wanted = None  # it was deleted
        again = isinstance(wanted, str) and record.get("project") == self._options.project
        name = str(wanted) if again else self._new_name(spec)
        place = self._create(name, again=again, logical_replication=spec.logical_replication)
        return Found(place, anew=True)

    def _settle(self, record: dict[str, object], wanted: str) -> Place | None:
        """What an earlier try has created, if it has."""
        project = record.get("project")
        org = record.get("org")
        if isinstance(id_ := record.get("id"), str):
            project_id, _, branch_id = id_.partition("/")
            return self._existing(Place(project_id, branch_id or None))
        return self._look(
            wanted,
            project=project if isinstance(project, str) else None,
            org=org if isinstance(org, str) else None,
        )

    def _existing(self, place: Place) -> Place | None:
        try:
            if place.branch:
                self._neon.branches.get(place.project, place.branch)
            else:
                self._neon.projects.get(place.project)
        except NotFound:
            return None
        return place

    def _look(self, wanted: str, *, project: str | None, org: str | None) -> Place | None:
        """The project or branch of a name that nobody else uses."""
        for pause in LOOKS:
            time.sleep(pause)
            if project:
                for branch in self._neon.branches.list(project, search=wanted):
                    if branch.name == wanted:
                        return Place(project, branch.id)
                continue
            for one in self._neon.projects.list(org_id=org, search=wanted):
                if one.name == wanted:
                    return Place(one.id)
        return None

    def _new_name(self, spec: DatabaseSpec) -> str:
        """A name that nothing has: a part of it is random, so that it is found again for sure."""
        base = re.sub(r"[^a-z0-9]+", "-", spec.project.name.lower()).strip("-")[:40] or "neonup"
        if self._options.project and self._options.branch:
            if not spec.replaces:
                self._refuse_taken(self._options.project, self._options.branch)
                return self._options.branch
            base = self._options.branch
        return f"{base}-{secrets.token_hex(5)}"

    def _refuse_taken(self, project: str, name: str) -> None:
        if any(one.name == name for one in self._neon.branches.list(project, search=name)):
            raise ProviderError(
                f"The project {project} has a branch {name!r} already, and neonup did not create "
                "it.",
                remedy="Name another one (NEONUP_ACCOUNT_BRANCH), or use that one: neonup adopt "
                f"--project {project} --branch {name}",
            )

    def _create(self, wanted: str, *, again: bool, logical_replication: bool) -> Place:
        """Ask Neon for it.

        Args:
            again: whether Neon was asked for it before, and it was not to be found.
        """
        options = self._options
        record: dict[str, object] = {
            "wanted": wanted,
            "project": options.project,
            "org": options.org,
        }
        self._remember(record)
        try:
            place = self._ask_for(wanted, logical_replication=logical_replication)
        except NeonError as error:
            lost = isinstance(error, AnswerLost | UnusableAnswer)
            lost = lost or (again and isinstance(error, Conflict))  # it is there by now
            if not lost:
                self._kept.forget(self._name)  # it was refused: there is nothing to be found
                raise
            found = self._look(wanted, project=options.project, org=options.org)
            if found is None:
                error.remedy = "Try again: neonup looks for it first, so that there is only one."
                raise
            place = found
        self._remember(record | {"id": str(place)})
        if again and not options.project:
            self._delete_others(wanted, place)
        return place

    def _delete_others(self, wanted: str, kept: Place) -> None:
        """Delete what an earlier request created so late that nobody waited for it any more.

        Its name has a random part that is known to nothing but this creation.
        """
        for one in self._neon.projects.list(org_id=self._options.org, search=wanted):
            if one.name == wanted and one.id != kept.project:
                self._neon.projects.delete(one.id)

    def _ask_for(self, wanted: str, *, logical_replication: bool) -> Place:
        options = self._options
        if options.project:
            branch = self._neon.branches.create(options.project, name=wanted)
            return Place(options.project, branch.branch.id)
        project = self._neon.projects.create(
            name=wanted,
            org_id=options.org,
            region_id=options.region,
            pg_version=options.pg_version,
            settings={"enable_logical_replication": True} if logical_replication else None,
            branch={"role_name": ROLE, "database_name": DATABASE},
        )
        return Place(project.project.id)

    def _remember(self, record: dict[str, object]) -> None:
        self._kept.write(self._name, record)
