"""What the tests of OAuth share: a user with a browser, and applications."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests import asking
from tests.emulator.api import Api
from tests.emulator.serving import NeonServer

READ = "urn:neoncloud:projects:read"
CALLBACK = "http://127.0.0.1:4711/callback"
_numbers = itertools.count()


def root_of(server: NeonServer) -> str:
    """The server's address, as its clients name it."""
    return server.base.removesuffix("/api/v2")


@dataclass
class Application:
    """A registered application, on its own side.

    Args:
        root: the server's address.
        id: its `client_id`.
        secret: None: a public client.
    """

    root: str
    id: str = "neonctl"
    secret: str | None = None
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters with which it sends a user; None leaves one out."""
        wanted: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": f"openid offline {READ}",
            "state": "a state",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    def ask(self, endpoint: str, **fields: str | None) -> httpx.Response:
        """A request of its own; public clients name themselves."""
        sent = {name: value for name, value in fields.items() if value is not None}
        if self.secret is None:
            sent = {"client_id": self.id, **sent}
            return asking.post(self.root + endpoint, data=sent)
        return asking.post(self.root + endpoint, data=sent, auth=(self.id, self.secret))

    def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        fields: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            **changes,
        }
        return self.ask("/oauth2/token", **fields)

    def refresh(self, token: str, **more: str) -> httpx.Response:
        return self.ask("/oauth2/token", grant_type="refresh_token", refresh_token=token, **more)

    def revoke(self, token: str, **more: str) -> httpx.Response:
        return self.ask("/oauth2/revoke", token=token, **more)


class Person:
    """A user with an account of their own, signed in with something like a browser."""

    def __init__(self, server: NeonServer):
        self.email = f"user{next(_numbers)}@oauth.example"
        self.user, self.organization = server.neon.people.create_user(self.email)
        _, self.key = server.neon.identity.create_key(self.user, "own")
        self.api = Api(server.base, self.key)
        root = root_of(server).replace("//localhost", "//127.0.0.1")
        self.browser = asking.client(base_url=root, follow_redirects=False)
        csrf = field_of(self.browser.get("/sign-in"), "csrf")
        done = self.browser.post("/sign-in", data={"csrf": csrf, "key": self.key})
        assert done.status_code == 303, done.text

    def visit(self, parameters: dict[str, str]) -> httpx.Response:
        """Open the consent page."""
        return self.browser.get("/oauth2/auth", params=parameters)

    def decide(self, parameters: dict[str, str], decision: str = "allow") -> dict[str, str]:
        """Press a button; the parameters with which the application sees the user again."""
        page = self.visit(parameters)
        assert page.status_code == 200, page.text
        fields = {"csrf": field_of(page, "csrf"), "decision": decision}
        return returned(
            self.browser.post("/oauth2/auth", params=parameters, data=fields),
            parameters.get("redirect_uri"),
        )

    def allow(self, application: Application, **changes: str | None) -> str:
        """A code for the application."""
        return self.decide(application.request(**changes))["code"]

    def tokens(self, application: Application, **changes: str | None) -> dict[str, Any]:
        """Tokens for the application."""
        answer = application.exchange(self.allow(application, **changes))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def register(server: NeonServer, redirect_uri: str, **more: Any) -> Application:
    """A new application of the name Shop."""
    answer = clients(server, "POST", {"name": "Shop", "redirect_uris": [redirect_uri], **more})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return Application(
        root_of(server), made["client_id"], made.get("client_secret"), redirect_uri=redirect_uri
    )


def clients(
    server: NeonServer, method: str, body: Any = None, *, key: str | None = None, path: str = ""
) -> httpx.Response:
    """A request to the endpoint that registers applications; with the default user's key."""
    headers = {"Authorization": f"Bearer {key or server.key}"}
    url = f"{root_of(server)}/neonup/oauth-clients{path}"
    return asking.request(method, url, json=body, headers=headers)


def field_of(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def returned(answer: httpx.Response, redirect_uri: str | None = None) -> dict[str, str]:
    """What the application reads from the address to which the user is sent back."""
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    if redirect_uri is not None:
        assert location.startswith(redirect_uri)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
