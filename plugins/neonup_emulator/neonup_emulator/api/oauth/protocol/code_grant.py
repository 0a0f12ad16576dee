"""The authorization code grant, with PKCE and OpenID Connect."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError, UnsupportedResponseTypeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from authlib.oidc.core.util import create_half_hash

from neonup_emulator.api.oauth.protocol.request import Incoming
from neonup_emulator.api.oauth.protocol.rows import OAuthClientAdapter, OAuthCodeAdapter
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.model import OAuthCode, OAuthGrant
from neonup_emulator.neon.oauth.scopes import OFFLINE

ID_TOKEN_SECONDS = 3600


class CodeGrant(AuthorizationCodeGrant):
    """A code by way of the user's browser, and tokens for it.

    The whole exchange is one transaction of the store: a code or a token that is used twice at once
    is used twice in a row.
    """

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    @classmethod
    def check_authorization_endpoint(cls, request: Incoming) -> bool:
        """Take every request: this is the only grant, and validates the request itself."""
        return True

    @staticmethod
    def validate_authorization_redirect_uri(request: Incoming, client: OAuthClientAdapter) -> str:
        """The redirect URI of a request, if the application has registered it."""
        uri = request.payload.redirect_uri or client.get_default_redirect_uri()
        if not uri or not client.check_redirect_uri(uri):
            raise InvalidRequestError("The redirect URI is none that the application registered.")
        return str(uri)

    def validate_authorization_request(self) -> str:
        """The redirect URI of a good request."""
        self.validate_no_multiple_request_parameter(self.request)
        redirect_uri: str = super().validate_authorization_request()
        kind = self.request.payload.response_type
        if not kind:
            raise InvalidRequestError("Missing 'response_type'.", redirect_uri=redirect_uri)
        if kind != "code":
            shown = kind if kind.replace(" ", "").isalnum() and kind.isascii() else "that"
            raise UnsupportedResponseTypeError(shown, redirect_uri=redirect_uri)
        if self.request.payload.data.get("response_mode", "query") != "query":
            raise InvalidRequestError("Unsupported 'response_mode'.", redirect_uri=redirect_uri)
        return redirect_uri

    def generate_authorization_code(self) -> str:
        """A code."""
        return oauth_tokens.new_code()

    def save_authorization_code(self, code: str, request: Incoming) -> None:
        """Store a code, since the user has allowed the request."""
        sent = request.payload.data
        oauth_tokens.grant(
            self.server.neon,
            request.user,
            code,
            client_id=request.client.row.id,
            redirect_uri=sent.get("redirect_uri") or request.client.get_default_redirect_uri(),
            redirect_uri_sent=bool(sent.get("redirect_uri")),
            scope=request.scope,
            nonce=sent.get("nonce"),
            challenge=sent.get("code_challenge"),
        )

    def query_authorization_code(
        self, code: str, client: OAuthClientAdapter
    ) -> OAuthCodeAdapter | None:
        """The code of a request, marked as used even if the rest of the request is wrong."""
        row = oauth_tokens.take_code(self.server.neon, code, client.row.id)
        return OAuthCodeAdapter(row) if row else None

    def delete_authorization_code(self, authorization_code: OAuthCodeAdapter) -> None:
        """Do nothing: the code stays, marked as used, so that a second use is noticed."""

    def authenticate_user(self, authorization_code: OAuthCodeAdapter) -> User | None:
        """The user who has allowed the request."""
        user: User | None = self.server.neon.people.user(authorization_code.row.user_id)
        return user

    def generate_token(self, *, user: User, scope: str, **options: Any) -> dict[str, Any]:
        """Tokens; with a refresh token where the scope asks for one."""
        asked = not OFFLINE.isdisjoint(scope.split())
        options["include_refresh_token"] = asked
        token: dict[str, Any] = super().generate_token(user=user, scope=scope, **options)
        return token

    def save_token(self, token: dict[str, Any]) -> None:
        """Store the tokens with the grant that the user has given."""
        row: OAuthCode = self.request.authorization_code.row
        self.server.keep(token, self.server.neon.store.get(OAuthGrant, row.grant_id))


class Challenge(CodeChallenge):
    """PKCE by S256 alone, and by all public clients."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Raise InvalidRequestError where the challenge is missing or malformed."""
        super().validate_code_challenge(grant, redirect_uri)
        sent = grant.request.payload.data
        if sent.get("code_challenge"):
            if sent.get("code_challenge_method") != "S256":
                raise InvalidRequestError("'code_challenge_method' has to be S256.")
        elif grant.request.client.is_public:
            raise InvalidRequestError("Missing 'code_challenge': this application has no secret.")


class OpenId(OpenIDCode):
    """ID tokens, signed with the local Neon's key, by its clock."""

    def exists_nonce(self, nonce: str, request: Incoming) -> bool:
        """False: only the client, who knows its sessions, can tell whether a nonce was used."""
        return False

    def encode_id_token(self, token: dict[str, Any], request: Incoming) -> str:
        """An ID token, with the hash of the access token that it comes with."""
        neon = request.neon
        now = int(neon.clock.now().timestamp())
        claims = {
            "iss": request.issuer,
            "aud": request.client.get_client_id(),
            "iat": now,
            "exp": now + ID_TOKEN_SECONDS,
            **self.get_authorization_code_claims(request.authorization_code),
            "at_hash": create_half_hash(token["access_token"], "RS256").decode(),
            **self.generate_user_info(request.user, token["scope"]),
        }
        signed: str = neon.signer.sign(claims)
        return signed

    def generate_user_info(self, user: User, scope: str) -> UserInfo:
        """Who the user is."""
        return UserInfo(user_info(user))


def user_info(user: User) -> dict[str, Any]:
    """What applications are told of a user."""
    return {"sub": user.id, "email": user.email, "email_verified": True, "name": user.name}
