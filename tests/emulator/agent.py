"""An agent that speaks to a local Neon through the agent identity API."""

from __future__ import annotations

import re
from typing import Any

import httpx

from tests import asking
from tests.emulator.api import Api

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Agent:
    """An agent, registered.

    Args:
        root: of the server, e.g. ``http://localhost:5540``.
        registration: the answer to an earlier registration, whose agent this is.
    """

    def __init__(
        self,
        root: str,
        *capabilities: str,
        source: str = "tests",
        registration: dict[str, Any] | None = None,
    ):
        self.root = root
        if registration is None:
            body = {"type": "anonymous", "capabilities": capabilities, "source": source}
            answer = asking.post(f"{root}/v1/agent/identity", json=body, timeout=60)
            assert answer.status_code == 201, answer.text
            registration = answer.json()
        self.registration: dict[str, Any] = registration or {}
        self.assertion: str = self.registration["identity_assertion"]
        self.id: str = self.registration["project"]["id"]
        self.branch: str = self.registration["project"]["branch_id"]
        self.token = self.new_token()

    def exchange(self, assertion: str | None = None, **fields: str) -> httpx.Response:
        form = {"grant_type": JWT_BEARER, "assertion": assertion or self.assertion, **fields}
        return asking.post(f"{self.root}/v1/oauth2/token", data=form, timeout=60)

    def new_token(self) -> str:
        answer = self.exchange(resource=f"{self.root}/")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: Any
    ) -> httpx.Response:
        """A request about the agent's project; the path is what comes behind its address."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        url = f"{self.root}/v1/projects/{self.id}{path}"
        return asking.request(method, url, json=body, headers=headers, params=query, timeout=60)

    def ok(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self.ask(method, path, body, **query)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def url(self) -> str:
        return str(self.ok("GET", "/credentials")["database_url"])

    def renew(self) -> str:
        """A new token in the place of one that was revoked; its scopes."""
        answer = self.exchange().json()
        self.token = answer["access_token"]
        return str(answer["scope"])

    def code(self) -> str:
        return str(self.ok("POST", "/claim")["user_code"])

    def state(self, *, token: str | None = None) -> str:
        answer = self.ask("GET", "/claim", token=token)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])

    def revoke(self, token: str) -> None:
        answer = asking.post(f"{self.root}/v1/oauth2/revoke", data={"token": token}, timeout=60)
        assert (answer.status_code, answer.content) == (200, b"")


class Person:
    """Somebody at a browser, without one: signed in, with an account and a key of their own."""

    def __init__(self, root: str, email: str):
        created = asking.post(f"{root}/neonup/users", json={"email": email}, timeout=60)
        assert created.status_code == 201, created.text
        self.account: dict[str, Any] = created.json()
        self.api = Api(f"{root}/api/v2", self.account["api_key"])
        # As the pages are named in links: a session belongs to that name.
        own = root.replace("localhost", "127.0.0.1")
        self.pages = asking.client(base_url=own, follow_redirects=True, timeout=60)
        page = self.pages.get("/sign-in")
        form = {"csrf": csrf(page), "key": self.account["api_key"], "next": "/claim"}
        assert self.pages.post("/sign-in", data=form).status_code == 200

    def look(self, code: str) -> httpx.Response:
        """The page behind a code."""
        return self.pages.get("/claim", params={"code": code})

    def proceed(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """The button on that page, with its fields or others; the console's page, if it works."""
        found = re.search(r'name="code" value="([^"]+)"', page.text)
        form = {"csrf": csrf(page), "code": found[1] if found else "", **fields}
        return self.pages.post("/claim", data=form)

    def take(self, page: httpx.Response, **fields: str) -> httpx.Response:
        """The button on the console's page, for the person's own organization."""
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        form |= {"org_id": self.account["org_id"], **fields}
        return self.pages.post("/app/claim", data=form)

    def claim(self, code: str) -> httpx.Response:
        """All of it."""
        return self.take(self.proceed(self.look(code)))


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def error(answer: httpx.Response) -> str:
    """The code of a refusal, whose envelope is complete."""
    shown = answer.json()["error"]
    assert {"code", "origin", "message", "retryable", "request_id"} <= set(shown)
    if answer.status_code == 401:
        assert "/.well-known/oauth-protected-resource" in answer.headers["www-authenticate"]
    return str(shown["code"])
