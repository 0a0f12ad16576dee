"""Token revocation (RFC 7009)."""

from __future__ import annotations

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint

from neonup_emulator.api.oauth.protocol.request import Incoming
from neonup_emulator.api.oauth.protocol.rows import OAuthClientAdapter, Token
from neonup_emulator.neon.oauth import tokens as oauth_tokens


class Revocation(RevocationEndpoint):
    """Revokes an access token alone, and with a refresh token the user's whole grant."""

    CLIENT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def check_params(self, request: Incoming, client: OAuthClientAdapter) -> None:
        """A hint is not needed, so one that is not understood does no harm (RFC 7009, 2.1)."""
        if not request.form.get("token"):
            raise InvalidRequestError("Missing 'token' in request.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        """The row of the token."""
        row = oauth_tokens.find(self.server.neon, token_string)
        return Token(row) if row else None

    def revoke_token(self, token: Token, request: Incoming) -> None:
        """Revoke the token."""
        oauth_tokens.forget(self.server.neon, token.row)
