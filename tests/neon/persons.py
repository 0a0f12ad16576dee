"""Other people than the default user, each with a key and an organization of their own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from tests.neon.api import Api

_NUMBERS = count()


@dataclass(frozen=True)
class Person:
    """A user with a key."""

    api: Api
    email: str
    org_id: str

    def organization(self, plan: str = "scale") -> str:
        """Another organization of theirs."""
        answer = control(self.api, "/organizations", {"name": "Another", "plan": plan})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def org_key(self, org_id: str, project_id: str | None = None) -> Api:
        """Whoever has a new key of an organization, or of one project."""
        body = {"key_name": "key"} | ({"project_id": project_id} if project_id else {})
        created = self.api.ok("POST", f"/organizations/{org_id}/api_keys", body)
        return self.api.as_key(created["key"])


def create_person(api: Api, email: str | None = None) -> Person:
    """A new user; the address is another each time."""
    answer = control(api, "/users", {"email": email or new_email()})
    assert answer.status_code == 201, answer.text
    created = answer.json()
    return Person(api.as_key(created["api_key"]), created["email"], created["org_id"])


def new_email() -> str:
    """An address that nobody in this process has."""
    return f"someone-{next(_NUMBERS)}@example.com"


def control(api: Api, path: str, body: Any) -> httpx.Response:
    """What tests set, below /neonup."""
    return api.control("POST", path, body)
