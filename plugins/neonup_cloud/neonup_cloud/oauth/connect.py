"""Connecting an account: sending a user's browser to Neon, and handling its return.

The protocol is OpenID Connect's (Core 1.0, 3.1), with PKCE (RFC 7636).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from neonup_cloud.api.errors import NeonError
from neonup_cloud.oauth.application import Application
from neonup_cloud.oauth.errors import ConsentDenied, SignInError, word
from neonup_cloud.oauth.tokens import Tokens, TokenStore


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in between `begin` and `complete`; stored in the session of the user's browser.

    Args:
        state: shows that the answer belongs to that browser's question.
        nonce: shows that the ID token does.
        verifier: PKCE's: makes the code useless to whoever sees it alone (RFC 7636).
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    def as_dict(self) -> dict[str, str]:
        """As plain data, for a session."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> PendingSignIn | None:
        """What `as_dict` gave; None if it is something else."""
        if not isinstance(data, dict):
            return None
        values = [data.get(name) for name in ("state", "nonce", "verifier")]
        if not all(isinstance(value, str) and value for value in values):
            return None
        return cls(*map(str, values))


def new_pending() -> PendingSignIn:
    """Random values for one sign-in."""
    return PendingSignIn(*(secrets.token_urlsafe(48) for _ in range(3)))


def begin(application: Application) -> tuple[str, PendingSignIn]:
    """The address to send the user's browser to, and what to store until it returns.

    Raises:
        NeonError: the OAuth server cannot be reached, or used.
    """
    from neonup_cloud.oauth.protocol import OAuthProtocol

    pending = new_pending()
    with OAuthProtocol(application) as protocol:
        return protocol.authorization_url(**pending.as_dict()), pending


def complete(
    application: Application, answer: str | Mapping[str, Any], pending: PendingSignIn | None
) -> Tokens:
    """Exchange what the user's browser came back with for tokens.

    Args:
        answer: the address that it was sent to, or the parameters in that.
        pending: as `begin` gave it; it must not be used again. None: the session has none.

    Raises:
        ConsentDenied: the user did not allow it.
        SignInError: the answer does not belong to the question, or is an error.
        NeonError: the OAuth server cannot be reached, or used.
    """
    from neonup_cloud.oauth.protocol import OAuthProtocol

    code = answered(answer, pending)
    assert pending  # noqa: S101 - answered() has looked
    with OAuthProtocol(application) as protocol:
        return protocol.exchange(code, nonce=pending.nonce, verifier=pending.verifier)


def answered(answer: str | Mapping[str, Any], pending: PendingSignIn | None) -> str:
    """The code that is in an answer; for its errors see `complete`."""
    if isinstance(answer, str):
        answer = dict(parse_qsl(urlsplit(answer).query))
    state = str(answer.get("state", ""))
    if pending is None or not hmac.compare_digest(state.encode(), pending.state.encode()):
        raise SignInError(
            "The answer from Neon does not belong to this sign-in, so it was not used.",
            checked=("its state",),
            remedy="Begin again, in one browser.",
        )
    error = str(answer.get("error", ""))
    if error == "access_denied":
        raise ConsentDenied("You did not allow it, so nobody was signed in at Neon.")
    code = answer.get("code")
    if error or not isinstance(code, str) or not code:
        raise SignInError(
            "Neon answered with an error instead of a sign-in.",
            checked=(word(error) or "there is no code in its answer",),
        )
    return code


def keep(application: Application, store: TokenStore, tokens: Tokens) -> None:
    """Keep the tokens of a new connection; an earlier one of the same user is revoked."""
    from neonup_cloud.oauth.protocol import OAuthProtocol

    with store.lock():
        before = store.load()
        store.save(tokens)
    if before is not None:
        with suppress(NeonError, SignInError), OAuthProtocol(application) as protocol:
            protocol.revoke(before)  # it would end by itself, unused


def drop(store: TokenStore, tokens: Tokens) -> None:
    """Forget tokens that have turned out to be of no use (`SignInEnded`), unless others are kept by
    now."""
    with store.lock():
        if store.load() == tokens:
            store.delete()


def disconnect(application: Application, store: TokenStore) -> bool:
    """Revoke a connection at Neon and forget its tokens.

    Returns:
        whether there was one.

    Raises:
        NeonError: it could not be revoked; the tokens are forgotten in any case.
    """
    from neonup_cloud.oauth.protocol import OAuthProtocol

    with store.lock():  # no refresh meanwhile, whose tokens would stay
        tokens = store.load()
        if tokens is None:
            return False
        try:
            with OAuthProtocol(application) as protocol:
                protocol.revoke(tokens)
        finally:
            store.delete()
    return True
