"""The key with which the local Neon signs tokens (RS256), and what it publishes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from neonup_local.service import home as homes

_BITS = 2048


class Signer:
    """Signs JSON Web Tokens, and tells its own from others.

    Args:
        path: the private key's file; created with the first token, mode 0600.

    Raises:
        EngineError: the file cannot be used.
    """

    def __init__(self, path: Path):
        self._path = path
        self._key: RSAKey | None = None

    def sign(self, claims: dict[str, Any], *, type: str = "JWT") -> str:  # noqa: A002
        """A token with these claims; whoever reads it checks `exp`, `iss` and `aud`."""
        key = self._loaded()
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": type}, claims, key)

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a token of this key says; None for any other. Whether it has expired is not looked
        at: the local Neon's clock is not the machine's.
        """
        try:
            return dict(jwt.decode(token, self._loaded(), algorithms=["RS256"]).claims)
        except (JoseError, ValueError):
            return None

    def public(self) -> dict[str, Any]:
        """The JSON Web Key Set with which others check its tokens."""
        keys: dict[str, Any] = dict(KeySet([self._loaded()]).as_dict(private=False))
        return keys

    def _loaded(self) -> RSAKey:
        if self._key is None:
            text = homes.secret(
                self._path, lambda: RSAKey.generate_key(_BITS).as_pem(private=True).decode()
            )
            self._key = RSAKey.import_key(text, {"use": "sig", "alg": "RS256"})
            self._key.ensure_kid()
        return self._key
