"""The provider ``account``: databases in the developer's own Neon account.

`AccountProvider.check` runs at every start, so this module imports no HTTP client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from neonup.database import ClaimOffer, Database, DatabaseSpec, Inspection, State
from neonup.errors import NeonupError, ProviderError, SettingsError
from neonup.provider import Provider
from neonup.providers.kept import Kept
from neonup.providers.kept import place as kept_name

if TYPE_CHECKING:
    from neonup.neon import NeonClient
    from neonup.neon.claims import Claim
    from neonup.providers.account.place import Place
    from neonup.tables import AccountOptions
    from neonup.versions import Versions


class AccountProvider(Provider):
    """A project of one's own, or a branch of the project that the option ``project`` names.

    Its options are those of `neonup.tables.AccountOptions`; the key is found as
    `neonup.neon.NeonClient` finds it.
    """

    name: ClassVar[str] = "account"

    def unavailable(self) -> str | None:
        """There is no key and no sign-in, or an option cannot be used."""
        try:
            with self._client(self._options):
                pass
        except NeonupError as error:
            return f"{error.message} {error.remedy or ''}".strip()
        return None

    def facts(self) -> Iterator[str]:
        """Which API is asked, and for what, for ``neonup doctor``."""
        from neonup.neon.access import base_url

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
        from neonup.providers.account import place as places
        from neonup.providers.account.creation import Creation

        wanted = self._options
        kept = self._kept
        name = kept_name(spec.project, spec.env_file, spec.key)
        with self._client(wanted) as neon:
            found = Creation(neon, kept, name, wanted).run(spec)
            neon.operations.settle(found.place.project)
            branch = places.branch_of(neon, found.place)
            urls = places.urls(neon, branch, database=wanted.database)
            database = Database(
                url=urls.pooled,
                provider=self.name,
                id=str(found.place),
                direct_url=urls.direct if urls.direct != urls.pooled else None,
                key=spec.key,
                created=found.anew,
                note=None if found.anew else "it was created earlier, and has its data still",
            )
            if wanted.claimable and found.place.branch is None:
                claim = self._offered(neon, found.place, wanted)
                database = database.with_(claim_url=claim.link)
        return database

    def inspect(self, database: Database) -> Inspection:
        """Ask Neon how the project, or the branch, is.

        Raises:
            NeonError: Neon refused, or did not answer.
        """
        from neonup.neon.errors import NotFound
        from neonup.providers.account import place as places

        place, wanted = places.parse(database.id), self._options
        with self._client(wanted, database) as neon:
            claim = self._claim(place)
            try:
                place = places.now(neon, place, database.url)
                project = neon.projects.get(place.project)
                branch = neon.branches.get(place.project, place.branch) if place.branch else None
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
                detail["claim"] = _told(so_far, claim)
                state = State.CLAIMED if so_far == "claimed" else state
        shown = {label: text for label, text in detail.items() if text}
        return Inspection(state, database, shown)

    def begin_claim(self, database: Database) -> ClaimOffer:
        """The project's claim link; a new one where the old one's time is over.

        Raises:
            ProviderError: the project is one's own and not to be claimed.
            NeonError: Neon refused, or did not answer.
        """
        from neonup.providers.account import place as places

        place, wanted = places.parse(database.id), self._options
        claim = self._claim(place)
        if place.branch or (claim is None and not wanted.claimable):
            raise ProviderError(
                "The database is in your own Neon account already; there is nothing to claim.",
                remedy="To offer the project to somebody else: NEONUP_ACCOUNT_CLAIMABLE=true "
                "neonup claim",
            )
        with self._client(wanted, database) as neon:
            claim = self._offered(neon, place, wanted)
        return ClaimOffer(
            url=claim.link,
            expires_at=claim.expires_at,
            database=database.with_(claim_url=claim.link),
        )

    def neon_project(self, database: Database) -> str:
        """As recorded."""
        from neonup.providers.account import place as places

        return places.parse(database.id).project

    def versions(self, database: Database) -> Versions:
        """Snapshots and branches of its project, also of one of a local Neon.

        Raises:
            ProviderError: it is not recorded which project that is.
            SettingsError: an option cannot be used.
        """
        from neonup.providers.account import place as places
        from neonup.providers.account.versions import AccountVersions

        place, wanted = places.parse(database.id), self._options
        return AccountVersions(lambda: self._client(wanted, database), place, database)

    def delete(self, database: Database) -> None:
        """Delete the project, or the branch; never a project that neonup did not create.

        Raises:
            ProviderError: it is not neonup's to delete.
            NeonError: Neon refused, or did not answer.
        """
        from neonup.providers.account import deletion
        from neonup.providers.account import place as places

        place, wanted = places.parse(database.id), self._options
        with self._client(wanted, database) as neon:
            now = places.now(neon, place, database.url)
            deletion.delete(neon, now, org=wanted.org)
        for name in self._kept.names():
            if (self._kept.read(name) or {}).get("id") == str(place):
                self._kept.forget(name)
        self._kept.forget(_claims(place))

    @property
    def _options(self) -> AccountOptions:
        from neonup.tables import AccountOptions  # `check` needs none

        return AccountOptions.of(self.settings)

    @property
    def _kept(self) -> Kept:
        return Kept(self.settings.home, self.name)

    @contextmanager
    def _client(
        self, wanted: AccountOptions, database: Database | None = None
    ) -> Iterator[NeonClient]:
        """The account, or the local Neon that a database is one of."""
        from neonup.neon import NeonClient
        from neonup.neon.errors import Invalid
        from neonup.providers.account import current

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

    def _offered(self, neon: NeonClient, place: Place, wanted: AccountOptions) -> Claim:
        """The offer that is good still, or a new one."""
        from neonup.neon.claims import ClaimState

        claim = self._claim(place)
        state = neon.claims.state(claim) if claim is not None else ClaimState.EXPIRED
        if claim is not None and state is not ClaimState.EXPIRED:
            return claim
        claim = neon.claims.create(
            place.project, ttl_seconds=wanted.claim_seconds, redirect=wanted.claim_redirect
        )
        self._kept.write(
            _claims(place),
            {
                "project_id": claim.project_id,
                "request_id": claim.request_id,
                "link": claim.link,
                "expires_at": claim.expires_at.isoformat(),
                "org_id": claim.org_id,
            },
        )
        return claim

    def _claim(self, place: Place) -> Claim | None:
        """The offer that was made last from this machine."""
        kept: dict[str, Any] | None = self._kept.read(_claims(place))
        if kept is None or place.branch:
            return None
        from neonup.neon.claims import Claim

        try:
            return Claim(**kept | {"expires_at": datetime.fromisoformat(kept["expires_at"])})
        except (TypeError, ValueError, KeyError):
            return None


def _claims(place: Place) -> str:
    return f"claim-{place.project}"


def _told(state: str, claim: Claim) -> str:
    if state == "pending":
        return f"pending: its link is good until {claim.expires_at:%d %b %Y %H:%M} UTC"
    if state == "expired":
        return "expired: `neonup claim` makes a new link"
    return f"{state}"
