"""Who is signed in to the pages: a cookie holds a session's secret, the store what it stands for.

So a session ends here, for whoever has a copy of the cookie as well.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from neonup_emulator.neon.accounts.model import User, WebSession
from neonup_emulator.neon.context import LocalNeon

LIFETIME = timedelta(days=14)


def begin(neon: LocalNeon, user: User) -> str:
    """Sign a user in; the session's secret, of which only the digest is kept."""
    secret = secrets.token_urlsafe(32)
    now = neon.clock.now()
    neon.store.insert(WebSession(id=_digest(secret), user_id=user.id, expires_at=now + LIFETIME))
    return secret


def user_of(neon: LocalNeon, secret: str) -> User | None:
    """Whose session it is; None where it has ended or never was one."""
    known = neon.store.get(WebSession, _digest(secret))
    if known is None or known.expires_at <= neon.clock.now():
        return None
    return neon.people.user(known.user_id)


def end(neon: LocalNeon, secret: str) -> None:
    """Sign a session out, if it has not ended."""
    known = neon.store.get(WebSession, _digest(secret))
    if known is not None:
        neon.store.delete(known)


def forget_expired(neon: LocalNeon) -> None:
    """Delete the sessions whose time is over."""
    now = neon.clock.now()
    over = [
        session
        for session in neon.store.dated(WebSession, "expires_at")
        if session.expires_at <= now
    ]
    neon.store.delete(*over)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
