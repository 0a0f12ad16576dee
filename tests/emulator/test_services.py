"""Neon's other services, which the local Neon has not, and how it says so."""

from __future__ import annotations

import pytest

from tests import asking
from tests.emulator.api import Api, Project


@pytest.mark.parametrize("listed", ["buckets", "functions", "triggers", "custom-domains"])
def test_a_branch_has_nothing_of_them(project: Project, listed: str) -> None:
    headers = {"Authorization": f"Bearer {project.api.key}"}  # two of them came after the document
    answer = asking.get(f"{project.api.base}{project.main}/{listed}", headers=headers)
    assert (answer.status_code, answer.json()) == (200, {listed.replace("-", "_"): []})


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("GET", "auth", None),
        ("GET", "data-api/neondb", None),
        ("GET", "credentials", None),
        ("GET", "storage", "region_unavailable"),
        ("GET", "ai_gateway", "ai_gateway_unavailable"),
        ("POST", "logs/query", "telemetry_not_enabled"),
        ("GET", "logs/fields", "telemetry_not_enabled"),
        ("GET", "logs/fields/level/values", "telemetry_not_enabled"),
    ],
)
def test_what_is_one_for_each_branch_is_not_found(
    project: Project, method: str, path: str, reason: str | None
) -> None:
    status, content = project.api.ask(method, f"{project.main}/{path}")
    assert (status, content.get("reason")) == (404, reason)
    missing = f"{project.path}/branches/br-none-none-00000000/{path}"
    status, content = project.api.ask(method, missing)
    assert (status, content.get("reason")) == (404, reason and "branch_not_found")


def test_another_users_branch_says_nothing(project: Project, api: Api) -> None:
    other = api.as_key(
        api.control("POST", "/users", {"email": "else@example.com"}).json()["api_key"]
    )
    for path in ("buckets", "auth", "storage"):
        assert other.ask("GET", f"{project.main}/{path}")[0] == 404
