"""Adapters that give rows the interface which Authlib expects."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin
from authlib.oidc.core import AuthorizationCodeMixin

from neonup_emulator.neon.oauth import clients as oauth_clients
from neonup_emulator.neon.oauth.model import OAuthClient, OAuthCode, OAuthToken


class OAuthClientAdapter(ClientMixin):
    """An application."""

    def __init__(self, row: OAuthClient):
        self.row = row

    @property
    def is_public(self) -> bool:
        """Whether it has no secret."""
        return self.row.digest is None

    def get_client_id(self) -> str:
        """Its id."""
        return self.row.id

    def get_default_redirect_uri(self) -> str | None:
        """The redirect URI for a request that names none: only a client's single one."""
        known = self.row.redirect_uris
        return known[0] if len(known) == 1 and not self.is_public else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes asked for, each once; None where it may not ask for them, or asks for none."""
        asked = list(dict.fromkeys((scope or "").split()))
        allowed = self.row.scopes
        if not asked or (allowed is not None and not set(asked) <= set(allowed)):
            return None
        return " ".join(asked)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether users may be sent to that address."""
        return oauth_clients.allows(self.row, redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether that is its secret."""
        return oauth_clients.has_secret(self.row, client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether a client authenticates as it must: one that has a secret, by that."""
        return (method == "none") == self.is_public

    def check_response_type(self, response_type: str | None) -> bool:
        """True: the grant checks it, with better messages."""
        return True

    def check_grant_type(self, grant_type: str) -> bool:
        """All clients may use all grants."""
        return True


class OAuthCodeAdapter(AuthorizationCodeMixin):
    """An authorization code."""

    def __init__(self, row: OAuthCode):
        self.row = row
        self.code_challenge = row.challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str | None:
        """The redirect URI that the request for the token has to repeat."""
        return self.row.redirect_uri if self.row.redirect_uri_sent else None

    def get_scope(self) -> str:
        """The scopes that the user has allowed."""
        return self.row.scope

    def get_nonce(self) -> str | None:
        """The nonce that the ID token has to repeat."""
        return self.row.nonce

    def get_auth_time(self) -> None:
        """None: sessions do not know when somebody signed in."""

    def get_acr(self) -> None:
        """None: not known."""

    def get_amr(self) -> None:
        """None: not known."""


class Token(TokenMixin):
    """An access or refresh token."""

    def __init__(self, row: OAuthToken):
        self.row = row

    def check_client(self, client: OAuthClientAdapter) -> bool:
        """Whether it was issued to that client."""
        return self.row.client_id == client.row.id

    def get_scope(self) -> str:
        """The scopes of the token."""
        return self.row.scope
