"""Authlib's authorization server over one local Neon."""

from __future__ import annotations

import json
from typing import Any

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidRequestError,
    OAuth2Error,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from starlette.responses import Response

from neonup_emulator.api.oauth.protocol.code_grant import Challenge, CodeGrant, OpenId
from neonup_emulator.api.oauth.protocol.refresh_grant import RefreshGrant
from neonup_emulator.api.oauth.protocol.request import Incoming
from neonup_emulator.api.oauth.protocol.revocation import Revocation
from neonup_emulator.api.oauth.protocol.rows import OAuthClientAdapter
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.oauth import clients as oauth_clients
from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.model import OAuthGrant
from neonup_emulator.neon.oauth.scopes import SCOPES

_REDIRECTION = 302


class OAuthServer(AuthorizationServer):
    """The endpoints' authorization server. It works on the store: call it in threads.

    Args:
        neon: whose users and clients.
    """

    def __init__(self, neon: LocalNeon):
        super().__init__(scopes_supported=list(SCOPES))
        self.neon = neon
        self.register_grant(CodeGrant, [Challenge(required=True), OpenId()])
        self.register_grant(RefreshGrant)
        self.register_endpoint(Revocation)
        self.register_token_generator(
            "default",
            BearerTokenGenerator(
                lambda **_: oauth_tokens.new_access_token(),
                lambda **_: oauth_tokens.new_refresh_token(),
                int(oauth_tokens.ACCESS.total_seconds()),
            ),
        )

    def asked(self, request: Incoming, user: User | None) -> CodeGrant:
        """The grant for which a request to the authorization endpoint asks.

        Raises:
            OAuth2Error: it is wrong; without `redirect_uri` the user must not be sent back.
        """
        grant: CodeGrant = self.get_consent_grant(request, user)
        return grant

    def decide(self, request: Incoming, user: User, *, allowed: bool) -> Response:
        """Send the user back to the application, with a code or with a refusal.

        Raises:
            OAuth2Error: the request is invalid, as in `asked`.
        """
        with self.neon.store.transaction():
            grant = self.asked(request, user)
            answer: Response = self.create_authorization_response(
                request, grant_user=user if allowed else None, grant=grant
            )
            return answer

    def exchange(self, request: Incoming) -> Response:
        """Answer a request to the token endpoint."""
        if not request.payload.grant_type:
            return self.refuse(InvalidRequestError("Missing 'grant_type' in request."))
        return self._in_transaction(lambda: self.create_token_response(request))

    def revoke(self, request: Incoming) -> Response:
        """Answer a request to the revocation endpoint."""
        return self._in_transaction(
            lambda: self.create_endpoint_response(Revocation.ENDPOINT_NAME, request)
        )

    def refuse(self, error: OAuth2Error) -> Response:
        """An error, as RFC 6749 has it: to the redirect URI where it knows one, else as JSON."""
        return self.handle_response(*error())

    def keep(self, token: dict[str, Any], given: OAuthGrant) -> None:
        """Store issued tokens."""
        oauth_tokens.issue(
            self.neon,
            given,
            access=token["access_token"],
            scope=token["scope"],
            refresh=token.get("refresh_token"),
        )

    def query_client(self, client_id: str) -> OAuthClientAdapter | None:
        """The client of that id."""
        row = oauth_clients.find(self.neon, client_id)
        return OAuthClientAdapter(row) if row else None

    def create_oauth2_request(self, request: Incoming) -> Incoming:
        """The request itself, which has the form that Authlib expects."""
        request.neon = self.neon
        return request

    def handle_response(
        self, status: int, body: dict[str, Any] | str, headers: list[tuple[str, str]]
    ) -> Response:
        """An answer of Authlib's as one of Starlette's."""
        content = json.dumps(body) if isinstance(body, dict) else body
        # After a form, 303 leaves no doubt that the next request is a GET (RFC 9700, 4.12).
        status = 303 if status == _REDIRECTION else status
        return Response(content, status, {"Cache-Control": "no-store", **dict(headers)})

    def send_signal(self, name: str, *args: Any, **values: Any) -> None:
        """Do nothing: nobody receives signals here."""

    def _in_transaction(self, answer: Any) -> Response:
        try:
            with self.neon.store.transaction():
                answered: Response = answer()
                return answered
        except UnicodeDecodeError:  # Authlib's, for credentials that are no text
            return self.refuse(InvalidClientError("The credentials are no text.", status_code=401))
