"""Asking a local Neon; every answer is checked against Neon's OpenAPI document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

from tests import asking
from tests.emulator.document import PATH, Document
from tests.waiting import wait_until

DOCUMENT = Document()


@dataclass(frozen=True)
class Project:
    """A project as it was created; `url` leads to its database."""

    api: Api
    answer: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.answer["project"]["id"])

    @property
    def branch(self) -> str:
        return str(self.answer["branch"]["id"])

    @property
    def endpoint(self) -> str:
        return str(self.answer["endpoints"][0]["id"])

    @property
    def url(self) -> str:
        return str(self.answer["connection_uris"][0]["connection_uri"])

    @property
    def path(self) -> str:
        return f"/projects/{self.id}"

    @property
    def main(self) -> str:
        """The path of its first branch."""
        return f"{self.path}/branches/{self.branch}"

    def create_branch(self, name: str, **branch: Any) -> dict[str, Any]:
        """A branch with an endpoint."""
        body = {"branch": {"name": name, **branch}, "endpoints": [{"type": "read_write"}]}
        created: dict[str, Any] = self.api.ok("POST", f"{self.path}/branches", body)
        return created


class Api:
    """A caller of a local Neon's API.

    Args:
        base: where it is, e.g. ``http://localhost:5540/api/v2``.
        key: whose requests they are.
    """

    def __init__(self, base: str, key: str):
        self.base = base
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        """Status and content of an answer that the document allows."""
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = asking.request(
            method, f"{self.base}{path}", json=body, params=query, headers=headers, timeout=60
        )
        content = answer.json() if answer.content else {}
        if PATH.exists():
            assert DOCUMENT.errors(method, path, answer.status_code, content) == [], content
        return answer.status_code, content

    def ok(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The content of an answer that says yes."""
        status, content = self._ask_when_free(method, path, body, **query)
        assert status < 300, content
        return content

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        """Status and message of a refusal."""
        status, content = self._ask_when_free(method, path, body, **query)
        assert status >= 400, content
        return status, content["message"]

    def _ask_when_free(
        self, method: str, path: str, body: Any = None, **query: Any
    ) -> tuple[int, Any]:
        """As `ask`; again where what was asked for before goes on after its answer (423)."""

        answers: list[tuple[int, Any]] = []

        def is_free() -> bool:
            answers.append(self.ask(method, path, body, **query))
            return answers[-1][0] != 423

        wait_until(is_free, "the project has no running operations", seconds=60)
        return answers[-1]

    def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask for what tests set and read of a server, below ``/neonup``."""
        headers = {"Authorization": f"Bearer {self.key}"}
        url = f"{self.base.removesuffix('/api/v2')}/neonup{path}"
        return asking.request(method, url, json=body, headers=headers, timeout=60)

    def create_project(self, **project: Any) -> Project:
        return Project(self, self.ok("POST", "/projects", {"project": project}))

    def as_key(self, key: str) -> Api:
        return Api(self.base, key)


def ask(url: str, statement: str, *values: object) -> Any:
    """The first value that a statement answers; None where it answers none."""
    with psycopg.connect(url, autocommit=True, connect_timeout=60) as connection:
        cursor = connection.execute(statement.encode(), values or None)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None
