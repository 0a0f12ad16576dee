"""New tokens for a refresh token, which is used up by that."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749.grants import RefreshTokenGrant

from neonup_emulator.api.oauth.protocol.rows import Token
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.model import OAuthGrant, OAuthToken


class RefreshGrant(RefreshTokenGrant):
    """Rotation: each refresh token is good once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        """The row of the token; a token that was used before ends the user's grant."""
        client = self.request.client.row.id
        row = oauth_tokens.take_refresh_token(self.server.neon, refresh_token, client)
        return Token(row) if row else None

    def authenticate_user(self, refresh_token: Token) -> User | None:
        """The user of the token."""
        user: User | None = self.server.neon.people.user(refresh_token.row.user_id)
        return user

    def save_token(self, token: dict[str, Any]) -> None:
        """Store the tokens with the grant that the user has given."""
        row: OAuthToken = self.request.refresh_token.row
        self.server.keep(token, self.server.neon.store.get(OAuthGrant, row.grant_id))

    def revoke_old_credential(self, refresh_token: Token) -> None:
        """Mark the refresh token as used."""
        oauth_tokens.use_up(self.server.neon, refresh_token.row)
