"""The provider ``account``: databases in the developer's own Neon account.

`AccountProvider.check` runs at every start, so this module imports no HTTP client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from neonup import (
    ClaimOffer,
    Database,
    DatabaseSpec,
    Inspection,
    NeonupError,
    Provider,
    ProviderError,
    SettingsError,
)
from neonup.plugin.project import StateStore

if TYPE_CHECKING:
    from neonup import Versions
    from neonup_cloud import NeonClient
    from neonup_cloud.account.claim_links import ClaimLinks
    from neonup_cloud.account.git_branches import GitBranches
    from neonup_cloud.account.linked import NeonLink
    from neonup_cloud.account.location import DatabaseLocation
    from neonup_cloud.api.answers import Branch
    from neonup_cloud.options import AccountOptions


class AccountProvider(Provider):
    """A project of one's own, or a branch of the project that the option ``project`` names.

    Its options are those of `neonup.tables.AccountOptions`; the key is found as
    `neonup_cloud.NeonClient` finds it.
    """

    name: ClassVar[str] = "account"
    label: ClassVar[str] = "a Neon database of your account"
    copies: ClassVar[bool] = True

    def unavailable(self) -> str | None:
        """Why the account cannot be used: no key and no sign-in, or an invalid option."""
        try:
            with self.connect(self._options):
                pass
        except NeonupError as error:
            return f"{error.message} {error.remedy or ''}".strip()
        return None

    def facts(self) -> Iterator[str]:
        """The API and what is created in it, for ``neonup doctor``."""
        from neonup_cloud.account import linked
        from neonup_cloud.api.access import base_url

        try:
            named = self._options
            link = linked.link_of(named, self.settings.project)
            wanted = linked.with_link(named, link)
            yield f"asks {base_url(wanted.url)}"
        except SettingsError as error:
            yield error.message
            return
        if wanted.project:
            says = f", as {link.path.name} says" if link else ""
            branch = link and not (named.branch or self.settings.git_branches) and link.branch
            does = f"uses the branch {branch}" if branch else "creates a branch"
            yield f"{does} of the project {wanted.project}{says}"
        else:
            yield f"creates a project{f' of {wanted.org}' if wanted.org else ''}"

    def provision(self, spec: DatabaseSpec) -> Database:
        """Create a project or a branch, or find what an earlier try has created.

        Where ``.neon`` names a branch, that one is used as it is.

        Raises:
            NeonError: Neon refused, or did not answer.
            ProviderError: a branch of the name is there already.
            SettingsError: there is no key, or an option or ``.neon`` cannot be used.
        """
        from neonup_cloud.account import linked, linked_branch
        from neonup_cloud.account import location as locations
        from neonup_cloud.account.creation import AccountCreation

        wanted = self._options
        link = linked.link_of(wanted, self.settings.project)
        by_link = linked.with_link(wanted, link)
        replaced = locations.parse(spec.replaces.id) if spec.replaces else None
        # A project that neonup created may have been linked since: no branch of it replaces it.
        if replaced is None or (replaced.project == by_link.project and replaced.branch):
            wanted = by_link
        of_git = spec.replaces and self.git_branch(spec.replaces)
        like = spec.copy_of or (spec.replaces if of_git else None)
        with self.connect(wanted, like) as neon:
            existing = linked_branch.for_new_database(neon, self.settings, wanted, link, spec)
            if link and existing:
                return self._existing(neon, existing, link, spec.key)
            creation = AccountCreation.of(neon, self._store, wanted, self.settings, spec)
            created = creation.run(spec)
            branch = locations.branch_of(neon, created.location)
            note = None if created.new else "it was created earlier, and has its data still"
            if spec.copy_of and created.new:
                note = f"it begins as a copy of the database in {spec.copy_of.source}"
            known = Database(like.url if like else "", self.name, key=spec.key, note=note)
            database = self._database(neon, created.location, branch, known)
        return database.with_(created=created.new)

    def _existing(self, neon: NeonClient, branch: Branch, link: NeonLink, key: str) -> Database:
        from neonup_cloud.account import linked_branch
        from neonup_cloud.account import location as locations

        note = f"the Neon branch {branch.name}, as {link.path.name} says; its data is as it was"
        known = Database("", self.name, key=key, note=note, adopted=True)
        location = locations.DatabaseLocation(branch.project_id, branch.id)
        database = self._database(neon, location, branch, known)
        linked_branch.note(self.settings, location.project, database.url)
        return database

    def _database(
        self, neon: NeonClient, location: DatabaseLocation, branch: Branch, known: Database
    ) -> Database:
        """A database with its URLs and, where it has one, its claim link, once Neon is done.

        Args:
            known: what else is known of it; the name is that of its URL, if it has one.
        """
        from neonup import urls
        from neonup_cloud.account import location as locations

        wanted = self._options
        neon.operations.settle(location.project)
        name = wanted.database or (urls.parse(known.url).dbname if known.url else None)
        found = locations.urls(neon, branch, database=name)
        offered = wanted.claimable and location.branch is None
        return known.with_(
            url=found.pooled,
            id=str(location),
            direct_url=found.direct if found.direct != found.pooled else None,
            claim_url=self._links.offer(neon, location, wanted).link if offered else None,
        )

    def inspect(self, database: Database) -> Inspection:
        """Ask Neon for the state of the project, or the branch.

        Raises:
            NeonError: Neon refused, or did not answer.
        """
        from neonup_cloud.account.inspection import inspect

        git_branch = self.git_branch(database) if self.settings.git_branches else ""
        with self.connect(self._options, database) as neon:
            return inspect(neon, self._links, database, self.check(database), git_branch)

    def begin_claim(self, database: Database) -> ClaimOffer:
        """The project's claim link; a new one if the old one has expired.

        Raises:
            ProviderError: the project is one's own and not to be claimed.
            NeonError: Neon refused, or did not answer.
        """
        from neonup_cloud.account import location as locations

        location, wanted = locations.parse(database.id), self._options
        claim = self._links.get(location)
        if location.branch or (claim is None and not wanted.claimable):
            raise ProviderError(
                "The database is in your own Neon account already; there is nothing to claim.",
                remedy="To offer the project to somebody else: NEONUP_ACCOUNT_CLAIMABLE=true "
                "neonup claim",
            )
        with self.connect(wanted, database) as neon:
            claim = self._links.offer(neon, location, wanted)
        return ClaimOffer(
            url=claim.link,
            expires_at=claim.expires_at,
            database=database.with_(claim_url=claim.link),
        )

    def neon_project(self, database: Database) -> str:
        """The project's id, as it is recorded."""
        from neonup_cloud.account import location as locations

        return locations.parse(database.id).project

    def versions(self, database: Database) -> Versions:
        """Snapshots and branches of its project, also of one of a local Neon.

        Raises:
            ProviderError: it is not recorded which project that is.
            SettingsError: an option cannot be used.
        """
        from neonup_cloud.account import location as locations
        from neonup_cloud.account.versions import AccountVersions

        location, wanted = locations.parse(database.id), self._options
        return AccountVersions(lambda: self.connect(wanted, database), location, database)

    def git_branch(self, database: Database) -> str:
        """The git branch that the database was created for, or switched to, as recorded."""
        return self._git_branches.of_database(database.id)

    def switch(self, database: Database, git_branch: str) -> Database:
        """The database of another git branch: a Neon branch of the same project.

        Raises:
            NeonError: Neon refused, or did not answer.
            NeonupError: the database is another folder's.
            ProviderError: the branch's name is taken, or it has no database of the same name.
        """
        from neonup_cloud.account import git_leftovers, git_switch

        present = self.git_branch(database)
        if not present:
            git_switch.note(self.settings, database, git_branch)
            return database
        try:
            with self.connect(self._options, database) as neon:
                switch = git_switch.GitSwitch(neon, self.settings, database, git_branch)
                location = switch.run()
                switched = self._database(neon, location.location, location.branch, database)
                switch.finish(switched)
                expired = git_leftovers.let_expire(neon, self.settings, self._options)
        except ProviderError as error:
            go_on = f"`NEONUP_GIT_BRANCHES=off neonup` goes on with the data of {present}."
            error.remedy = f"{error.remedy} {go_on}" if error.remedy else go_on
            raise
        return switched.with_(created=location.created, note="; ".join([location.note, *expired]))

    def delete(self, database: Database) -> None:
        """Delete the project, or the branch; never a project that neonup did not create.

        Raises:
            ProviderError: it is not neonup's to delete, or has the data of other git branches.
            NeonError: Neon refused, or did not answer.
        """
        from neonup_cloud.account import deletion, linked_branch
        from neonup_cloud.account import location as locations

        location, wanted = locations.parse(database.id), self._options
        with self.connect(wanted, database) as neon:
            now = locations.now(neon, location, database.url)
            linked_branch.check_created(neon, self.settings, now, database)
            deletion.check_alone(neon, now, self.settings.home)
            deletion.delete(neon, now, org=wanted.org)
        self._git_branches.forget(str(location))
        for name in self._store.names():
            if (self._store.read(name) or {}).get("id") == str(location):
                self._store.forget(name)
        self._links.forget(location)

    @property
    def _options(self) -> AccountOptions:
        from neonup_cloud.options import AccountOptions  # `check` needs none

        return AccountOptions.of(self.settings)

    @property
    def _git_branches(self) -> GitBranches:
        from neonup_cloud.account.git_branches import GitBranches  # only with the setting

        return GitBranches.of(self.settings)

    @property
    def _links(self) -> ClaimLinks:
        from neonup_cloud.account.claim_links import ClaimLinks  # `check` needs none

        return ClaimLinks(self._store)

    @property
    def _store(self) -> StateStore:
        return StateStore(self.settings.home, self.name)

    @contextmanager
    def connect(
        self, wanted: AccountOptions, database: Database | None = None
    ) -> Iterator[NeonClient]:
        """A client of the account, or of the local Neon that a database is of."""
        from neonup_cloud import NeonClient
        from neonup_cloud.account import current
        from neonup_cloud.api.errors import Invalid

        here = current.local_neon(self.settings, database, wanted)
        if here is not None:
            with NeonClient(here.key, base_url=here.base) as neon:
                yield neon
            return
        with NeonClient(base_url=wanted.url) as neon:
            try:
                yield neon
            except Invalid as error:
                if wanted.org is None and "org_id" in error.message:
                    error.remedy = "Name the organization: NEON_ORG_ID, or org in "
                    error.remedy += f"[tool.neonup.{self.name}]."
                raise
