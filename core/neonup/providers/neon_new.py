"""The provider ``neon.new``: an instant database, nobody's for 72 hours unless it is claimed.

Neon has deprecated the service (August 2026); the provider ``claimable`` succeeds it.

The service's documentation: https://neon.com/docs/reference/claimable-postgres
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from neonup.database import ClaimOffer, Database, DatabaseSpec, Inspection, State
from neonup.errors import DatabaseClaimed, ProviderError
from neonup.http.calls import Call, T
from neonup.http.run import run
from neonup.provider import Provider
from neonup.providers import neon_new_api as api
from neonup.providers import validation
from neonup.tables import NeonNewOptions

_SUCCESSOR = 'neon.new is deprecated; Claimable Neon succeeds it: provider = "claimable"'


class NeonNewProvider(Provider):
    """Databases of neon.new, or of a local one (``neonup serve``).

    Its options are those of `neonup.tables.NeonNewOptions`.
    """

    name = "neon.new"

    def facts(self) -> Iterator[str]:
        yield f"asks {self._base()}"

    def provision(self, spec: DatabaseSpec) -> Database:
        """Ask for a database; one that was made and whose answer was lost expires by itself."""
        call = api.create(self._base(), ref=spec.ref, logical_replication=spec.logical_replication)
        return self._new(self._run(call), spec)

    def inspect(self, database: Database) -> Inspection:
        return self._inspection(database, self._read(database))

    def begin_claim(self, database: Database) -> ClaimOffer:
        effect = "A claim renews the password: from then on the one in .env is dead."
        return replace(super().begin_claim(database), effect=effect)

    def neon_project(self, database: Database) -> str | None:
        answer = self._read(database)
        return answer.project_id if answer is not None else None

    def delete(self, database: Database) -> None:
        when = f" on {database.expires_at:%d %B %Y, %H:%M} UTC" if database.expires_at else ""
        raise ProviderError(
            "neon.new has no way to delete a database on request.",
            remedy="If unclaimed, it is deleted automatically"
            f"{when or ' 72 hours after its creation'}; if claimed, delete its project "
            "in the Neon console.",
        )

    def _read(self, database: Database) -> api.DatabaseAnswer | None:
        return self._run(api.read(self._base(), _id(database)))

    def _new(self, answer: api.DatabaseAnswer, spec: DatabaseSpec) -> Database:
        if answer.connection_string is None:
            raise DatabaseClaimed(
                "neon.new answered with a database that has already been claimed.",
                checked=(f"id {answer.id}, status {answer.status}",),
                remedy="Try again.",
            )
        database = Database(
            url=answer.connection_string,
            provider=self.name,
            id=answer.id,
            claim_url=answer.claim_url,
            expires_at=answer.expires_at,
            key=spec.key,
            created=True,
            note=_SUCCESSOR,
        )
        return database.with_(
            direct_url=database.direct if database.direct != database.url else None
        )

    def _inspection(self, database: Database, answer: api.DatabaseAnswer | None) -> Inspection:
        service = {"service": self._base(), "id": _id(database)}
        if answer is None:
            expired = self.check(database) is State.EXPIRED
            return Inspection(State.EXPIRED if expired else State.MISSING, database, service)
        if answer.status == api.CLAIMED:
            detail = service | {
                "claimed": "it belongs to a Neon account and does not expire",
                "next": "if its password is refused: neonup adopt, signed in to that account, "
                "renews the URL in .env",
            }
            return Inspection(State.CLAIMED, database.with_(expires_at=None, id=answer.id), detail)
        known = database.with_(
            id=answer.id,
            claim_url=answer.claim_url or database.claim_url,
            expires_at=answer.expires_at or database.expires_at,
        )
        limits = {"limits": "72 hours, 100 MB, 1 GB transfer, no branches, until it is claimed"}
        if answer.status == api.CLAIMING:
            limits["claim"] = "under way"
        return Inspection(self.check(known), known, service | limits)

    def _base(self) -> str:
        return validation.base_url(
            NeonNewOptions.of(self.settings).url,
            self.name,
            example=NeonNewOptions.url,
            checked='NEONUP_NEON_NEW_URL, then [tool.neonup."neon.new"] url',
        )

    def _run(self, call: Call[T]) -> T:
        return run(call, timeout=NeonNewOptions.of(self.settings).timeout)


def _id(database: Database) -> str:
    """The service's name for it: as recorded, or the claim link's last part (neon-new's .env)."""
    link = re.match(r"https?://[^/?#]+/(?:claim|database)/([^/?#]+)", database.claim_url or "")
    name = database.id or (link[1] if link else "")
    if not re.fullmatch(r"[\w-]{1,100}", name, re.ASCII):
        raise ProviderError(
            "It is unknown which neon.new database this is.",
            checked=("the recorded id and the claim link",),
            remedy="Write the claim link into .env as POSTGRES_CLAIM_URL, or create a new "
            "database with --force.",
        )
    return name
