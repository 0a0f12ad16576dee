"""The provider ``claimable``: a project of an agent's own, nobody's for 72 hours unless claimed.

`Provider.check` runs at every start, so this module imports no HTTP client.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from neonup.database import ClaimOffer, ClaimProgress, Database, DatabaseSpec, Inspection, State
from neonup.errors import ClaimInProgress, ProviderError, SettingsError
from neonup.postgres import urls
from neonup.provider import Provider
from neonup.providers.state_store import StateStore
from neonup.settings import state_name

if TYPE_CHECKING:
    from neonup.providers.claimable.identity import AgentIdentity, AgentSession
    from neonup.tables import ClaimableOptions

NAME = "claimable"
_CLAIMED = "project_claimed"
TIMEOUT = 60.0  # seconds for one request; registering creates a project
ACCEPTED = "accepted"
_HOW_TO_CLAIM = "`neonup claim` gives a code with which somebody takes it into their account"
_EFFECT = (
    'From "Continue" on that page on, the password in .env is dead, also if the claim is not '
    "finished: opening the page changes nothing. The new owner's account has the new URL."
)
_DEAD = (
    "The password in .env is dead, since somebody has begun to claim it before; once the claim is "
    "finished, the new owner's account has the new URL."
)


class ClaimableProvider(Provider):
    """Databases of claimable.neon.tech, or of a local one (``neonup serve``).

    Its options are those of `neonup.tables.ClaimableOptions`.
    """

    name: ClassVar[str] = NAME
    label: ClassVar[str] = "an unclaimed Neon database"

    def unavailable(self) -> str | None:
        missing = "it has no way to ask for logical replication; account and neon.new have."
        return missing if self.settings.logical_replication else None

    def facts(self) -> Iterator[str]:
        try:
            yield f"asks {self._base()}"
        except SettingsError as error:
            yield error.message

    def provision(self, spec: DatabaseSpec) -> Database:
        """Register, or take up the registration that an earlier try has made."""
        from neonup.providers.claimable.api import REVOKED, AgentError
        from neonup.providers.claimable.identity import of_place

        mine = state_name(spec.project, spec.env_file, spec.key)
        identity = of_place(self._store, mine)
        if identity is not None and (
            spec.replaces is None or spec.replaces.id != identity.project_id
        ):
            try:
                database = self._database(identity, spec)
                return database.with_(created=False, note="it was created earlier")
            except AgentError as error:
                if not error.ends and error.reason not in REVOKED:
                    raise
        return self._database(self._registered(mine, spec), spec)

    def check(self, database: Database) -> State:
        """By the recorded expiry, and what this machine has learned of a claim."""
        try:
            known = self._store.read(database.id or "") or {}
        except ProviderError:
            known = {}
        if known.get("ended") == _CLAIMED:
            return State.CLAIMED
        state = super().check(database)
        if state is State.EXPIRED or not (known.get("revoked") or known.get("offered")):
            return state
        return State.REVOKED if known.get("revoked") else State.CLAIMING

    def inspect(self, database: Database) -> Inspection:
        from neonup.providers.claimable import api
        from neonup.providers.claimable.identity import load

        identity = load(self._store, database.id or "")
        detail = {"limits": "72 hours, 100 MB, until it is claimed"}
        if identity is None:
            known = "its secret is not on this machine, so the service cannot be asked"
            return Inspection(self.check(database), database, detail | {"checked": f"no: {known}"})
        detail |= {"service": identity.base}
        if identity.denied:
            detail["not granted"] = _reasons(identity.denied)
        claim, database = self._asked(identity, database)
        under_way = claim is not None and claim.state == ACCEPTED  # that outlives the expiry
        state = State.REVOKED if under_way else self.check(database)
        state = State.READY if state is State.CLAIMING else state  # the service was asked
        if state is State.CLAIMED:
            detail = {"claimed": "its old password is dead", "next": "neonup adopt"}
            return Inspection(state, database.with_(expires_at=None), detail, claim)
        if identity.ended not in (None, api.EXPIRED):
            return Inspection(State.MISSING, database, detail)
        if identity.ended or state is State.EXPIRED:
            state = State.EXPIRED
            detail["next"] = "`neonup --force` creates a new one"
        else:
            detail["claim"] = claim.state if claim else _HOW_TO_CLAIM
        if state is State.REVOKED:
            detail |= {"password": "dead: somebody has begun to claim it", "next": _next(claim)}
        return Inspection(state, database, detail, claim)

    def _asked(
        self, identity: AgentIdentity, database: Database
    ) -> tuple[ClaimProgress | None, Database]:
        """How far the claim is, and the database with the expiry that the service says.

        What ends the agent's identity, or revokes its rights, is noted in it.
        """
        from neonup.providers.claimable import api

        claim: ClaimProgress | None = None
        if identity.assertion is None:
            return claim, database
        try:
            with self._session(identity) as session:
                claim = session.ask(api.claim_progress)
                if claim is not None and claim.state == "reconciled":
                    identity.end(api.CLAIMED, self._store)
                elif claim is not None and claim.state == ACCEPTED:
                    identity.note(self._store, revoked=True)
                else:
                    expires_at = session.ask(api.credentials).expires_at or database.expires_at
                    database = database.with_(expires_at=expires_at)
                    if claim is not None and claim.state == "expired":
                        identity.note(self._store, offered=False)
        except api.AgentError as error:
            if error.reason in api.REVOKED:
                identity.note(self._store, revoked=True)
            elif not error.ends:
                raise
        return claim, database

    def begin_claim(self, database: Database) -> ClaimOffer:
        """A code for the person who claims it; an earlier one that nobody used ends.

        Raises:
            ClaimInProgress: somebody has used the code, and still has time to finish the claim.
        """
        from neonup.providers.claimable import api

        identity = self._identity(database)
        with self._session(identity) as session:
            try:
                code = session.ask(api.begin_claim)
            except api.AgentError as error:
                if error.reason != api.CLAIMING:
                    raise
                remedy = f"{_next(session.ask(api.claim_progress))}."
                raise ClaimInProgress("Somebody is claiming the database.", remedy=remedy) from None
        identity.note(self._store, offered=True)
        return ClaimOffer(
            url=code.link,
            code=code.text,
            expires_at=datetime.now(UTC) + timedelta(seconds=code.seconds),
            interval=code.interval,
            database=database,
            effect=_DEAD if identity.revoked else _EFFECT,
        )

    def neon_project(self, database: Database) -> str | None:
        return database.id

    def delete(self, database: Database) -> None:
        """Delete the project, while nobody has claimed it."""
        from neonup.providers.claimable import api

        identity = self._identity(database)
        try:
            if identity.assertion is not None:
                with self._session(identity) as session:
                    session.delete()
        except api.AgentError as error:
            if error.reason in api.REVOKED:
                raise ProviderError(
                    "Somebody has begun to claim the database, which ended the right to delete "
                    "it from here.",
                    remedy="If nobody finishes the claim, it is deleted when it expires.",
                ) from None
            if not error.ends:
                raise
        if identity.ended == api.CLAIMED:
            raise ProviderError(
                "The database has been claimed, and is its owner's to delete.",
                remedy="Delete its project in the Neon console, https://console.neon.tech, and "
                "remove its lines from .env.",
            )

    @property
    def _options(self) -> ClaimableOptions:
        from neonup.tables import ClaimableOptions  # `check` needs none

        return ClaimableOptions.of(self.settings)

    @property
    def _store(self) -> StateStore:
        return StateStore(self.settings.home, NAME)

    def _registered(self, mine: str, spec: DatabaseSpec) -> AgentIdentity:
        from neonup.http.run import run
        from neonup.providers.claimable import api
        from neonup.providers.claimable.identity import AgentIdentity, give_up_place

        base = self._base()
        give_up_place(self._store, mine)
        capabilities = list(dict.fromkeys(["postgres", *self._options.capabilities]))
        call = api.register(base, capabilities=capabilities, source=spec.ref)
        made = run(call, timeout=TIMEOUT)
        identity = AgentIdentity(made.project_id, base, mine, made.denied, made.assertion)
        identity.save(self._store)
        return identity

    def _database(self, identity: AgentIdentity, spec: DatabaseSpec) -> Database:
        from neonup.providers.claimable import api

        denied = {n: why for n, why in identity.denied.items() if n in self._options.capabilities}
        with self._session(identity) as session:
            if {*denied.values()} - {"requires_claim"}:
                with suppress(ProviderError):  # it expires by itself as well
                    session.delete()
                raise ProviderError(
                    f"Claimable Neon does not grant {_reasons(denied)}. No database was created.",
                    checked=(identity.base,),
                    remedy="Remove it from capabilities. The local Neon (`neonup serve`) has "
                    "neither the Data API nor Neon Auth.",
                )
            credentials = session.ask(api.credentials)
        identity.note(self._store, variables=credentials.variables)
        direct = urls.direct(credentials.url)
        return Database(
            url=credentials.url,
            provider=self.name,
            id=identity.project_id,
            direct_url=direct if direct != credentials.url else None,
            expires_at=credentials.expires_at,
            key=spec.key,
            created=True,
            note=f"not granted: {_reasons(denied)}" if denied else None,
        )

    def _identity(self, database: Database) -> AgentIdentity:
        from neonup.providers.claimable.identity import load

        identity = load(self._store, database.id or "")
        if identity is None:
            raise ProviderError(
                "The secret of this database's agent is not on this machine.",
                checked=(f"{self.settings.home / NAME}",),
                remedy="Use the machine that created it; unclaimed, it expires by itself.",
            )
        return identity

    @contextmanager
    def _session(self, identity: AgentIdentity) -> Iterator[AgentSession]:
        from neonup.http.transport import Sender
        from neonup.providers.claimable.identity import AgentSession

        with closing(Sender(20.0)) as sender:  # seconds, for each try
            yield AgentSession(identity, self._store, sender)

    def _base(self) -> str:
        from neonup.providers import validation

        return validation.base_url(
            self._options.url,
            "claimable.neon.tech",
            example="https://claimable.neon.tech",
            checked=f"NEONUP_CLAIMABLE_URL, [tool.neonup.{NAME}] url, CLAIMABLE_NEON_HOST",
            secret=True,
        )


def _reasons(denied: dict[str, str]) -> str:
    return ", ".join(f"{name} ({reason})" for name, reason in denied.items())


def _next(claim: ClaimProgress | None) -> str:
    """What to do while a claim has begun and is not finished."""
    if claim is None or claim.state != ACCEPTED:
        return "`neonup claim` gives a new code, and a finished claim a new URL"
    until = f" until {claim.until:%H:%M} UTC" if claim.until else ""
    return f"who has begun to claim it may finish that{until}; then `neonup claim` gives a new code"
