"""What a person needs to take the project's database into an account."""

from __future__ import annotations

from neonup.database import ClaimOffer, Database, Inspection, State
from neonup.errors import DatabaseClaimed, DatabaseExpired, NeonupError
from neonup.start import lookup
from neonup.start.flow import Start
from neonup.start.renewal import renew

ADOPT = "`neonup adopt`, signed in to its owner's account, renews the URL in .env."


def offer(start: Start, database: Database) -> ClaimOffer:
    """The claim link of a database, and the code if its page asks for one; a new link is recorded.

    Raises:
        DatabaseGone: it has been claimed, or has ended.
        NeonupError: it is not one that can be claimed.
    """
    if database.before_claim:
        raise _already_claimed()
    lookup.check_ours(database)
    provider = start.provider(database)
    if provider.local:
        raise NeonupError(
            "A local database is yours already: it never expires and has no claim link.",
            remedy="`neonup push` moves it to Neon.",
        )
    seen = provider.inspect(database)
    if is_claimed(seen):
        raise _already_claimed()
    offered = provider.begin_claim(seen.database)
    if offered.database.claim_url != database.claim_url:
        renew(start.settings, database, offered.database)
    return offered


def is_claimed(seen: Inspection) -> bool:
    """Whether the database was claimed.

    Raises:
        DatabaseExpired: it has ended, and cannot be claimed any more.
    """
    if seen.state in (State.EXPIRED, State.MISSING):
        raise DatabaseExpired(
            "The database has expired and can no longer be claimed.",
            remedy="`neonup --force` creates a new one.",
        )
    return seen.state is State.CLAIMED


def _already_claimed() -> DatabaseClaimed:
    return DatabaseClaimed("The database has been claimed already.", remedy=ADOPT)
