"""Requests to the OAuth server; Authlib makes them and checks the answers.

Authlib's own integration with HTTP clients is for httpx2, and would bring a second one; the class
below it takes any session that posts forms.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from neonup import NeonupError
from neonup.plugin import commands
from neonup_cloud.api.errors import AnswerLost, NeonError, Unavailable, UnusableAnswer
from neonup_cloud.oauth.application import LOOPBACK, Application, is_safe
from neonup_cloud.oauth.errors import SignInEnded, SignInError, word
from neonup_cloud.oauth.tokens import Tokens

try:
    import joserfc.errors
    from authlib.common.errors import AuthlibBaseError
    from authlib.oauth2.auth import ClientAuth
    from authlib.oauth2.client import OAuth2Client
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwk, jws, jwt
except ImportError as error:
    raise NeonupError(
        f"Signing in at Neon needs {error.name}, which is not installed.",
        remedy=commands.install("cloud"),
    ) from None

TIMEOUT = httpx.Timeout(20.0, connect=10.0)
SKEW = 120
"""Seconds that the clocks of server and client may be apart."""
_METADATA = "/.well-known/openid-configuration"
_ENDED = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})
T = TypeVar("T")


class _ClientAuth(ClientAuth, httpx.Auth):
    """Authlib's way of saying which client asks, as httpx calls it."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        headers = dict(request.headers)
        url, headers, body = self.prepare(
            request.method, str(request.url), headers, request.content.decode()
        )
        headers.pop("content-length", None)
        yield httpx.Request(
            request.method, url, headers=headers, content=body, extensions=request.extensions
        )


class _Client(OAuth2Client):
    client_auth_class = _ClientAuth


class OAuthProtocol:
    """The requests of an application to the OAuth server. Use it in a ``with`` block.

    Args:
        application: who asks.
    """

    def __init__(self, application: Application):
        self._application = application
        host = urlsplit(application.host)
        self._http = httpx.Client(
            timeout=TIMEOUT,
            headers={"user-agent": "neonup"},
            verify=httpx.create_ssl_context() if host.scheme == "https" else False,
            trust_env=host.hostname not in LOOPBACK,  # no proxy leads to this machine itself
        )
        self._client = _Client(
            self._http,
            client_id=application.client_id,
            client_secret=application.client_secret,
            redirect_uri=application.redirect_uri,
            code_challenge_method="S256",
        )
        self._endpoints: dict[str, Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def endpoints(self) -> dict[str, Any]:
        """What the server says of itself (OpenID Connect Discovery 1.0).

        Raises:
            NeonError: it cannot be reached, or says something else.
        """
        if self._endpoints is None:
            answer = self._sent(lambda: self._http.get(self._application.host + _METADATA))
            metadata = self._json(answer)
            # Anybody could name somebody else's endpoints (OpenID Connect Discovery 1.0, 4.3).
            if str(metadata.get("issuer", "")).rstrip("/") != self._application.host:
                raise self._unusable("it gives another issuer than its address")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(metadata.get(name), str) or not is_safe(metadata[name]):
                    raise self._unusable(f"its {name} cannot be used")
            self._endpoints = metadata
        return self._endpoints

    def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where the user's browser is to go."""
        url, _ = self._client.create_authorization_url(
            self.endpoints()["authorization_endpoint"],
            state=state,
            code_verifier=verifier,
            nonce=nonce,
            scope=" ".join(self._application.scopes),
        )
        return str(url)

    def exchange(self, code: str, *, nonce: str, verifier: str) -> Tokens:
        """Tokens for a code; the ID token that comes with them is checked.

        Raises:
            SignInError: the code, or the ID token, is not what was asked for.
            NeonError: the server cannot be reached, or failed.
        """
        url = self.endpoints()["token_endpoint"]
        answer = self._issued(
            lambda: self._client.fetch_token(
                url, grant_type="authorization_code", code=code, code_verifier=verifier
            ),
            lambda checked: SignInError(
                "Neon did not issue tokens for its own answer, so nobody was signed in.",
                checked=(checked,),
                remedy="Begin again.",
            ),
        )
        if "openid" in self._application.scopes:
            self._check_identity(answer, nonce)
        return self._tokens(answer)

    def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for old ones, whose refresh token is used up by that.

        Raises:
            SignInEnded: it is of no use any more.
            NeonError: the server cannot be reached, or failed.
        """
        url = self.endpoints()["token_endpoint"]
        answer = self._issued(
            lambda: self._client.refresh_token(url, refresh_token=tokens.refresh_token),
            lambda checked: SignInEnded(
                "The sign-in at Neon has ended: it was revoked, or not used for too long.",
                checked=(checked,),
                remedy=self._application.again,
            ),
        )
        return self._tokens(answer, tokens)

    def revoke(self, tokens: Tokens) -> None:
        """End what the user allowed (RFC 7009).

        Raises:
            NeonError: the server cannot be reached, or did not do it.
        """
        url = self.endpoints().get("revocation_endpoint")
        if not isinstance(url, str) or not is_safe(url):
            raise self._unusable("it has no address for revoking")
        token, hint = tokens.access_token, "access_token"
        if tokens.refresh_token:
            token, hint = tokens.refresh_token, "refresh_token"
        answer = self._sent(lambda: self._client.revoke_token(url, token, hint))
        if answer.status_code != 200:
            raise self._unusable("the tokens were not revoked", answer.status_code)

    def _issued(
        self, ask: Callable[[], Any], ended: Callable[[str], SignInError]
    ) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._sent(ask)
        except AuthlibBaseError as error:
            if error.error in _ENDED:
                raise ended(f"{self._application.host} answered {error.error}") from None
            raise self._unusable(f"it refused with {word(error.error)}") from None
        except ValueError:
            raise self._unusable("its answer is no JSON") from None
        if not isinstance(answer.get("access_token"), str) or not answer["access_token"]:
            raise self._unusable("no access token is in its answer")
        if str(answer.get("token_type", "bearer")).lower() != "bearer":
            raise self._unusable("it issued tokens of another kind")
        return answer

    def _tokens(self, answer: dict[str, Any], before: Tokens | None = None) -> Tokens:
        refresh, scope = answer.get("refresh_token"), answer.get("scope")
        return Tokens(
            access_token=answer["access_token"],
            # A server need not rotate; then the old one stays good (RFC 6749, 6).
            refresh_token=refresh
            if isinstance(refresh, str) and refresh
            else before.refresh_token
            if before
            else None,
            expires_at=answer.get("expires_at"),
            scope=scope
            if isinstance(scope, str)
            else before.scope
            if before
            else " ".join(self._application.scopes),
        )

    def _check_identity(self, answer: dict[str, Any], nonce: str) -> None:
        """Check the ID token (OpenID Connect Core 1.0, 3.1.3.7)."""
        keys = self._json(self._sent(lambda: self._http.get(self.endpoints()["jwks_uri"])))
        options = {
            "iss": {"essential": True, "value": self.endpoints()["issuer"]},
            "aud": {"essential": True, "value": self._application.client_id},
        }
        known = {
            "nonce": nonce,
            "client_id": self._application.client_id,
            "access_token": answer["access_token"],
        }
        try:
            token = jwt.decode(
                str(answer.get("id_token", "")),
                jwk.KeySet.import_key_set(keys),  # type: ignore[arg-type]
                registry=jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False),
            )
            CodeIDToken(token.claims, token.header, options, known).validate(leeway=SKEW)
        except (joserfc.errors.JoseError, ValueError, KeyError, TypeError) as error:
            raise SignInError(
                "The ID token that came with the sign-in is not one for it, so it was not used.",
                checked=(type(error).__name__,),
                remedy="Begin again.",
            ) from None

    def _sent(self, ask: Callable[[], T]) -> T:
        try:
            answer = ask()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise self._unavailable(
                "cannot be reached", str(error) or type(error).__name__
            ) from None
        except httpx.HTTPStatusError as error:
            raise self._unavailable("failed", f"status {error.response.status_code}") from None
        except httpx.HTTPError as error:
            raise AnswerLost(
                f"Neon's OAuth server {self._application.host} did not answer in full.",
                checked=(type(error).__name__,),
                remedy="Try again.",
            ) from None
        if isinstance(answer, httpx.Response) and answer.status_code >= 500:
            raise self._unavailable("failed", f"status {answer.status_code}")
        return answer

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            content = answer.json() if answer.status_code == 200 else None
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise self._unusable("its answer is not what OpenID Connect says", answer.status_code)
        return content

    def _unavailable(self, what: str, why: str) -> NeonError:
        return Unavailable(
            f"Neon's OAuth server {self._application.host} {what}.",
            checked=(why,),
            remedy="Try again later. https://neonstatus.com says how the service is.",
        )

    def _unusable(self, what: str, status: int | None = None) -> NeonError:
        return UnusableAnswer(
            f"Neon's OAuth server {self._application.host} cannot be used: {what}.",
            checked=("NEON_OAUTH_HOST",) if status is None else (f"status {status}",),
            status=status,
        )
