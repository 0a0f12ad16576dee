"""Codes that a person reads from an agent and enters on the claim page."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from neonup_emulator.neon.claimable.model import AgentRegistration, ClaimCode, ClaimCodeState
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import NotFound
from neonup_emulator.neon.state.store import setting

LIFETIME = timedelta(seconds=900)
INTERVAL_SECONDS = 5
"""How often an agent is asked to poll; it is not punished for more."""
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that look like another: 0 and O, 1, I and L."""
_HALF = 4


class WrongCode(NotFound):
    """There is no such code, or it was used, replaced or has expired."""


@dataclass(frozen=True)
class Issued:
    """A new code; the text is not kept."""

    text: str
    row: ClaimCode


def issue(neon: LocalNeon, registration: AgentRegistration) -> Issued:
    """Issue a code for an agent's project; cancels an earlier one that nobody has used."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(2 * _HALF))
    now = neon.clock.now()
    row = ClaimCode(
        id=str(uuid.uuid4()),
        project_id=registration.project_id,
        registration_id=registration.id,
        digest=_digest(neon, letters),
        created_at=now,
        expires_at=min(now + LIFETIME, registration.expires_at),
    )
    with neon.store.transaction():
        cancel(neon, registration)
        neon.store.insert(row)
    return Issued(f"{letters[:_HALF]}-{letters[_HALF:]}", row)


def cancel(neon: LocalNeon, registration: AgentRegistration) -> None:
    """Cancel the code of a registration that nobody has used."""
    with neon.store.transaction():
        for row in neon.store.all(ClaimCode, project_id=registration.project_id):
            if row.state is ClaimCodeState.PENDING:
                neon.store.update(ClaimCode, row.id, setting(state=ClaimCodeState.CANCELLED))


def latest(neon: LocalNeon, registration: AgentRegistration) -> ClaimCode | None:
    """The code that was issued last."""
    codes = neon.store.all(ClaimCode, project_id=registration.project_id)
    return codes[-1] if codes else None


def find(neon: LocalNeon, text: str, session: str) -> ClaimCode:
    """The code that somebody enters, if it is good now.

    Args:
        text: as it was typed: small letters, blanks and another dash will do.
        session: the session in which it is entered, which may guess wrong a few times.

    Raises:
        WrongCode: the code is unknown, used, replaced or expired.
        TooMany: too many wrong codes were entered.
    """
    neon.claim_attempts.check(session)
    code_row = _known(neon, text)
    if (
        code_row is None
        or code_row.state is not ClaimCodeState.PENDING
        or code_row.expires_at <= neon.clock.now()
    ):
        neon.claim_attempts.wrong(session)
        raise WrongCode(
            "This code is not valid, or not any more. Ask the agent for a new one: codes are good "
            "for 15 minutes and for one use."
        )
    return code_row


def used(neon: LocalNeon, text: str) -> ClaimCode | None:
    """The code that somebody enters, if a person has gone on to the console with it."""
    code_row = _known(neon, text)
    return code_row if code_row and code_row.state is ClaimCodeState.USED else None


def forget(neon: LocalNeon, before: datetime) -> None:
    """Delete the codes that ended before a moment."""
    neon.store.delete(*[row for row in neon.store.all(ClaimCode) if row.expires_at < before])


def _known(neon: LocalNeon, text: str) -> ClaimCode | None:
    wanted = _digest(neon, "".join(filter(str.isalnum, text[:64])).upper())
    code_row = None
    for row in neon.store.all(ClaimCode):  # all of them: how long it takes tells nothing
        if hmac.compare_digest(row.digest, wanted):
            code_row = row
    return code_row


def _digest(neon: LocalNeon, letters: str) -> str:
    # With a key: eight letters could be found by trying all of them on a bare hash.
    return hmac.new(neon.session_secret.encode(), letters.encode(), hashlib.sha256).hexdigest()
