"""The provider ``account``: databases in the developer's own Neon account.

`AccountProvider.check` runs at every start, so this module imports no HTTP client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from neonup import (
    ClaimOffer,
    Database,
    DatabaseSpec,
    Inspection,
    NeonupError,
    Provider,
    ProviderError,
    SettingsError,
    State,
)
from neonup.plugin.project import StateStore, state_name

if TYPE_CHECKING:
    from neonup import Versions
    from neonup_cloud import NeonClient
    from neonup_cloud.account.location import DatabaseLocation
    from neonup_cloud.api.claims import Claim
    from neonup_cloud.options import AccountOptions


class AccountProvider(Provider):
    """A project of one's own, or a branch of the project that the option ``project`` names.

    Its options are those of `neonup.tables.AccountOptions`; the key is found as
    `neonup_cloud.NeonClient` finds it.
    """

    name: ClassVar[str] = "account"
    label: ClassVar[str] = "a Neon database of your account"

    def unavailable(self) -> str | None:
        """Why the account cannot be used: no key and no sign-in, or an invalid option."""
        try:
            with self._client(self._options):
                pass
        except NeonupError as error:
            return f"{error.message} {error.remedy or ''}".strip()
        return None

    def facts(self) -> Iterator[str]:
        """The API and what is created in it, for ``neonup doctor``."""
        from neonup_cloud.api.access import base_url

        try:
            wanted = self._options
            yield f"asks {base_url(wanted.url)}"
        except SettingsError as error:
            yield error.message
            return
        if wanted.project:
            yield f"creates a branch of the project {wanted.project}"
        else:
            yield f"creates a project{f' of {wanted.org}' if wanted.org else ''}"

    def provision(self, spec: DatabaseSpec) -> Database:
        """Create a project or a branch, or find what an earlier try has created.

        Raises:
            NeonError: Neon refused, or did not answer.
            ProviderError: a branch of the name is there already.
            SettingsError: there is no key, or an option cannot be used.
        """
        from neonup_cloud.account import location as locations
        from neonup_cloud.account.creation import AccountCreation

        wanted = self._options
        key = state_name(spec.project, spec.env_file, spec.key)
        with self._client(wanted) as neon:
            creation = AccountCreation(neon, self._store, key, wanted, major=self.settings.postgres)
            created = creation.run(spec)
            neon.operations.settle(created.location.project)
            branch = locations.branch_of(neon, created.location)
            urls = locations.urls(neon, branch, database=wanted.database)
            database = Database(
                url=urls.pooled,
                provider=self.name,
                id=str(created.location),
                direct_url=urls.direct if urls.direct != urls.pooled else None,
                key=spec.key,
                created=created.new,
                note=None if created.new else "it was created earlier, and has its data still",
            )
            if wanted.claimable and created.location.branch is None:
                claim = self._offered(neon, created.location, wanted)
                database = database.with_(claim_url=claim.link)
        return database

    def inspect(self, database: Database) -> Inspection:
        """Ask Neon for the state of the project, or the branch.

        Raises:
            NeonError: Neon refused, or did not answer.
        """
        from neonup_cloud.account import location as locations
        from neonup_cloud.api.errors import NotFound

        location, wanted = locations.parse(database.id), self._options
        with self._client(wanted, database) as neon:
            claim = self._claim(location)
            try:
                location = locations.now(neon, location, database.url)
                project = neon.projects.get(location.project)
                branch = (
                    neon.branches.get(location.project, location.branch)
                    if location.branch
                    else None
                )
            except NotFound:
                return self._out_of_reach(neon, database, claim)
            detail = {
                "project": f"{project.name} in {project.region_id}, Postgres {project.pg_version}",
                "of": project.org_id or "",
                "branch": branch.name if branch else "",
            }
            state = self.check(database)
            if claim is not None:
                so_far = neon.claims.state(claim)
                detail["claim"] = _claim_detail(so_far, claim)
                state = State.CLAIMED if so_far == "claimed" else state
        shown = {label: text for label, text in detail.items() if text}
        return Inspection(state, database, shown)

    def begin_claim(self, database: Database) -> ClaimOffer:
        """The project's claim link; a new one if the old one has expired.

        Raises:
            ProviderError: the project is one's own and not to be claimed.
            NeonError: Neon refused, or did not answer.
        """
        from neonup_cloud.account import location as locations

        location, wanted = locations.parse(database.id), self._options
        claim = self._claim(location)
        if location.branch or (claim is None and not wanted.claimable):
            raise ProviderError(
                "The database is in your own Neon account already; there is nothing to claim.",
                remedy="To offer the project to somebody else: NEONUP_ACCOUNT_CLAIMABLE=true "
                "neonup claim",
            )
        with self._client(wanted, database) as neon:
            claim = self._offered(neon, location, wanted)
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
        return AccountVersions(lambda: self._client(wanted, database), location, database)

    def delete(self, database: Database) -> None:
        """Delete the project, or the branch; never a project that neonup did not create.

        Raises:
            ProviderError: it is not neonup's to delete.
            NeonError: Neon refused, or did not answer.
        """
        from neonup_cloud.account import deletion
        from neonup_cloud.account import location as locations

        location, wanted = locations.parse(database.id), self._options
        with self._client(wanted, database) as neon:
            now = locations.now(neon, location, database.url)
            deletion.delete(neon, now, org=wanted.org)
        for name in self._store.names():
            if (self._store.read(name) or {}).get("id") == str(location):
                self._store.forget(name)
        self._store.forget(_claims(location))

    @property
    def _options(self) -> AccountOptions:
        from neonup_cloud.options import AccountOptions  # `check` needs none

        return AccountOptions.of(self.settings)

    @property
    def _store(self) -> StateStore:
        return StateStore(self.settings.home, self.name)

    @contextmanager
    def _client(
        self, wanted: AccountOptions, database: Database | None = None
    ) -> Iterator[NeonClient]:
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

    def _out_of_reach(
        self, neon: NeonClient, database: Database, claim: Claim | None
    ) -> Inspection:
        """What became of a project that the key does not reach."""
        if claim is not None and neon.claims.state(claim) == "claimed":
            claimed = {"claim": "claimed: the project is its new owner's; its URL stays valid"}
            return Inspection(State.CLAIMED, database.with_(claim_url=None), claimed)
        known = {
            "looked for": f"{database.id}, which this key does not reach, or which is deleted",
            "next": "neonup adopt with the key of the account that it is in; if it is deleted, "
            "`neonup --force` creates a new one",
        }
        return Inspection(State.MISSING, database, known)

    # A claim link's lifetime is not in .env, and Neon does not tell it.

    def _offered(
        self, neon: NeonClient, location: DatabaseLocation, wanted: AccountOptions
    ) -> Claim:
        from neonup_cloud.api.claims import ClaimState

        claim = self._claim(location)
        state = neon.claims.state(claim) if claim is not None else ClaimState.EXPIRED
        if claim is not None and state is not ClaimState.EXPIRED:
            return claim
        claim = neon.claims.create(
            location.project, ttl_seconds=wanted.claim_seconds, redirect=wanted.claim_redirect
        )
        self._store.write(
            _claims(location),
            {
                "project_id": claim.project_id,
                "request_id": claim.request_id,
                "link": claim.link,
                "expires_at": claim.expires_at.isoformat(),
                "org_id": claim.org_id,
            },
        )
        return claim

    def _claim(self, location: DatabaseLocation) -> Claim | None:
        record: dict[str, Any] | None = self._store.read(_claims(location))
        if record is None or location.branch:
            return None
        from neonup_cloud.api.claims import Claim

        try:
            return Claim(**record | {"expires_at": datetime.fromisoformat(record["expires_at"])})
        except (TypeError, ValueError, KeyError):
            return None


def _claims(location: DatabaseLocation) -> str:
    return f"claim-{location.project}"


def _claim_detail(state: str, claim: Claim) -> str:
    if state == "pending":
        return f"pending: its link is good until {claim.expires_at:%d %b %Y %H:%M} UTC"
    if state == "expired":
        return "expired: `neonup claim` makes a new link"
    return f"{state}"
