"""The values that travel between the flow, the providers and the adapters."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from neonup.postgres import urls
from neonup.values import Value

if TYPE_CHECKING:
    from datetime import datetime, timedelta

USER = "user"
"""The provider name of a database that neonup did not create: the user's own."""


class State(enum.StrEnum):
    """What is known of a database."""

    READY = "ready"
    """It answers, or nothing says that it does not."""
    STOPPED = "stopped"
    """Its data exists, its server is not running."""
    MISSING = "missing"
    """Its data is not (or not any more) where this machine can find it."""
    EXPIRED = "expired"
    """Its time ran out."""
    CLAIMING = "claiming"
    """A code was given to claim it, and only the service knows what became of that."""
    REVOKED = "revoked"
    """Its password is dead: somebody has begun to claim it, and it is nobody's yet."""
    CLAIMED = "claimed"
    """It belongs to somebody's account."""


class Creation(enum.Enum):
    """When a start creates a database, and what becomes of the one that is recorded."""

    IF_NEEDED = enum.auto()
    """Only where none is recorded, or the recorded one is lost or has expired."""
    REPLACE = enum.auto()
    """In place of the recorded one, which stays where it is."""
    RESET = enum.auto()
    """In place of the recorded one, whose data is deleted."""
    FORK = enum.auto()
    """Beside the recorded one, which is another folder's, with a copy of its data."""


class Database(Value):
    """A Postgres database and what is known of it. ``repr`` shows neither password nor claim link.

    Args:
        url: the connection URL in libpq's form, pooled where there is a pooler.
        provider: what created it: ``local``, ``claimable``, a plugin's name, or ``user``.
        id: the provider's name for it.
        direct_url: the URL past the pooler, where it differs from ``url``.
        claim_url: the link that moves it into somebody's account. A secret.
        expires_at: when it is deleted unless claimed; aware, UTC. None: never, or unknown.
        key: the variable that holds its URL.
        source: where the URL was found or written, in words: ``environment`` or a path.
        created: whether this start created it.
        adopted: whether it was there before, made by others: neither migrated nor seeded.
        note: a sentence that the banner adds, e.g. that it moved to another port.
        stays: whether it is kept until it is destroyed, as ``.env`` says.
    """

    url: str
    provider: str
    id: str | None = None
    direct_url: str | None = None
    claim_url: str | None = None
    expires_at: datetime | None = None
    key: str = "DATABASE_URL"
    source: str = ""
    created: bool = False
    adopted: bool = False
    note: str | None = None
    stays: bool = False

    def __repr__(self) -> str:
        return (
            f"Database(provider={self.provider!r}, id={self.id!r}, "
            f"url={urls.mask(self.url)!r}, source={self.source!r})"
        )

    @property
    def own(self) -> bool:
        """Whether neonup created it: then its URL alone says where and how to connect."""
        return self.provider != USER

    @property
    def direct(self) -> str:
        """The URL past the pooler: for migrations, dumps, LISTEN."""
        return self.direct_url or urls.direct(self.url)

    def in_scheme(self, scheme: str | None) -> Database:
        """The same with URLs that begin with a scheme, unless it is None or this the user's own."""
        if scheme is None or not self.own:
            return self
        from neonup.postgres import drivers  # for which most projects have no use

        direct = self.direct_url and drivers.in_scheme(self.direct_url, scheme)
        return self.with_(url=drivers.in_scheme(self.url, scheme), direct_url=direct)

    @property
    def expires_in(self) -> timedelta | None:
        """How long it lives unless claimed; negative when it has expired."""
        if self.expires_at is None:
            return None
        from datetime import UTC, datetime  # which many databases do without

        return self.expires_at - datetime.now(UTC)

    @property
    def before_claim(self) -> tuple[str, str] | None:
        """Provider and id of what was neonup's until somebody claimed it; None for any other.

        ``.env`` records it as ``provider=user id=PROVIDER:ID``.
        """
        provider, sign, name = (self.id or "").partition(":")
        return (provider, name) if self.provider == USER and sign else None

    def claimed(self) -> Database:
        """The same database as its new owner's, who can renew its URL."""
        name = f"{self.provider}:{self.id}"
        return self.with_(provider=USER, id=name, claim_url=None, expires_at=None)


class DatabaseSpec(Value):
    """What the flow asks a provider for.

    Args:
        project: the project's folder.
        key: the variable that the URL will be written to.
        env_file: the file that it will be written to.
        ref: who asks, for services that want a referrer.
        logical_replication: whether ``wal_level`` must be ``logical``.
        replaces: a database that is recorded but gone: create the new one under the same URL and
            id where the provider can.
        copy_of: a database of the same provider: begin with a copy of its data where the provider
            can.
    """

    project: Path
    key: str
    env_file: Path
    ref: str = "neonup"
    logical_replication: bool = False
    replaces: Database | None = None
    copy_of: Database | None = None


class ClaimProgress(Value):
    """How far a claim is that a code was asked for.

    Args:
        state: ``pending``: nobody has used the code; ``accepted``: somebody has, and is to finish
            it; ``expired``: not used, or not finished, in time; ``reconciled``: it is theirs.
        until: when the code, or the time in which to finish, ends; aware. None: it is unknown.
    """

    state: str
    until: datetime | None = None


class Inspection(Value):
    """What a provider found when it looked closely (over the network, if need be).

    Args:
        state: the state now.
        database: the database with what was learned (expiry, claim link) filled in.
        detail: more to show, by label, already safe to print: ``{"engine": "Postgres 18.6"}``.
        claim: how far its claim is; None: nobody has asked for a code, or there are none.
    """

    state: State
    database: Database
    detail: Mapping[str, str] = MappingProxyType({})
    claim: ClaimProgress | None = None


class ClaimOffer(Value, secret=("url", "code")):
    """How a person takes a database into an account. ``repr`` shows neither link nor code.

    Args:
        url: the page to open. A secret.
        database: the database, with what was learned of it, e.g. a new claim link.
        code: what the page asks for, where it asks for something. A secret.
        expires_at: when the offer ends; aware. None: with the database.
        interval: seconds between two looks (`Provider.inspect`) where the claim is to be waited
            for, since the database is handed over in the end; None: nothing is waited for.
        effect: what a claim does to the URL in ``.env``, in sentences, said before; empty: nothing.
    """

    url: str
    database: Database
    code: str | None = None
    expires_at: datetime | None = None
    interval: float | None = None
    effect: str = ""
