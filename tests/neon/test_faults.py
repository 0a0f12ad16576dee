"""Faults on demand, a clock that can be set, and a log of requests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.neon.api import Api, Project
from tests.neon.persons import create_person


class Controls:
    def __init__(self, api: Api):
        self._api = api

    def put(self, what: str, **body: Any) -> httpx.Response:
        return self._api.control("PUT", f"/{what}", body)

    def get(self, what: str) -> Any:
        return self._api.control("GET", f"/{what}").json()

    def forget(self) -> None:
        self._api.control("DELETE", "/requests")


@pytest.fixture
def controls(api: Api) -> Iterator[Controls]:
    controls = Controls(api)
    controls.forget()
    yield controls
    controls.put("faults", faults=[])
    controls.put("clock", ahead_seconds=0)


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("PUT", "clock", {"ahead_seconds": 86_400 * 30}),
        ("GET", "clock", None),
        ("PUT", "faults", {"faults": ["* /*=500"]}),
        ("GET", "faults", None),
        ("GET", "requests", None),
        ("DELETE", "requests", None),
    ],
)
def test_they_take_the_default_users_key(
    api: Api, controls: Controls, method: str, what: str, body: Any
) -> None:
    """Any other user of the machine reaches the port; none of them can read the key."""
    other = create_person(api)
    organization = other.org_key(other.org_id)
    for key, status in (("none", 401), ("napi_wrong", 401), (other.api.key, 403)):
        assert api.as_key(key).control(method, f"/{what}", body).status_code == status
    assert organization.control(method, f"/{what}", body).status_code == 403
    assert controls.get("clock")["ahead_seconds"] == 0
    assert controls.get("faults") == {"faults": []}
    assert controls.get("requests")["requests"]
    assert api.control(method, f"/{what}", body).status_code == 200


def test_a_status_as_often_as_asked(api: Api, controls: Controls) -> None:
    controls.put("faults", faults=["POST /projects=423x2", "GET /regions=503"])
    body: dict[str, Any] = {"project": {}}
    assert [api.ask("POST", "/projects", body)[0] for _ in range(3)] == [423, 423, 201]
    assert [api.ask("GET", "/regions")[0] for _ in range(2)] == [503, 503]
    assert controls.get("faults") == {"faults": ["GET /regions=503"]}
    seen = [(one["method"], one["path"], one["status"]) for one in controls.get("requests")[
        "requests"
    ]]  # fmt: skip
    assert seen == [
        ("POST", "/projects", 423),
        ("POST", "/projects", 423),
        ("POST", "/projects", 201),
        ("GET", "/regions", 503),
        ("GET", "/regions", 503),
    ]


def test_a_delay_and_a_cut(api: Api, controls: Controls) -> None:
    controls.put("faults", faults=["GET /users/*=0.5sx1", "* /regions=cutx1"])
    begin = time.monotonic()
    api.ok("GET", "/users/me")
    assert time.monotonic() - begin >= 0.5
    with pytest.raises(httpx.TransportError):
        api.ask("GET", "/regions")
    api.ok("GET", "/regions")


def test_what_is_no_fault(controls: Controls) -> None:
    for text in ("", "POST /projects", "POST /projects=200", "get /x=500", "GET /x=slow"):
        refused = controls.put("faults", faults=[text])
        assert refused.status_code == 400
        assert "is not a fault" in refused.json()["message"]


def test_the_clock_can_be_set(project: Project, controls: Controls) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    branch = project.create_branch("dev", expires_at=later)["branch"]["id"]
    path = f"{project.path}/branches/{branch}"
    controls.put("clock", ahead_seconds=3500)
    project.api.ok("GET", path)
    controls.put("clock", ahead_seconds=3700)
    assert project.api.refused("GET", path)[0] == 404
    created = project.create_branch("new")["branch"]["created_at"]
    assert datetime.fromisoformat(created) > datetime.fromisoformat(later)


def test_the_log_keeps_no_secrets(project: Project, controls: Controls) -> None:
    query = {"database_name": "neondb", "role_name": "neondb_owner"}
    project.api.ok("GET", f"{project.path}/connection_uri", **query)
    said = str(controls.get("requests"))
    assert "connection_uri" in said
    assert "npg_" not in said and "napi_" not in said
