"""Slugs of snapshots: chosen at creation, unique in a project, and never another."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.emulator.api import Api, Project


def snapshots(project: Project) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = project.api.ok("GET", f"{project.path}/snapshots")["snapshots"]
    return listed


def test_a_slug_is_kept_and_unique_in_its_project(project: Project, api: Api) -> None:
    made = api.ok("POST", f"{project.main}/snapshot", None, name="Version 1", slug="v-1")
    assert made["snapshot"]["slug"] == "v-1"
    refused = api.refused("POST", f"{project.main}/snapshot", None, name="another", slug="v-1")
    assert refused == (409, "snapshot slug already exists")
    assert [one["slug"] for one in snapshots(project)] == ["v-1"]
    path = f"{project.path}/snapshots/{made['snapshot']['id']}"
    renamed = api.ok("PATCH", path, {"snapshot": {"name": "renamed", "slug": "v-2"}})["snapshot"]
    assert (renamed["name"], renamed["slug"]) == ("renamed", "v-1")
    other = api.create_project(name="other")
    api.ok("POST", f"{other.main}/snapshot", None, slug="v-1")
    api.ok("DELETE", path)
    api.ok("POST", f"{project.main}/snapshot", {"slug": "v-1"})  # some clients send a body


def test_one_is_made_up_where_none_is_given(project: Project, api: Api) -> None:
    for _ in range(2):
        api.ok("POST", f"{project.main}/snapshot")
    first, second = (one["slug"] for one in snapshots(project))
    assert first != second
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", first)


@pytest.mark.parametrize("slug", ["", "V1", "1v", "v-", "-v", "v_1", "v 1", "v\n", "v" * 64, "é"])
def test_a_slug_of_another_form_is_refused(project: Project, slug: str) -> None:
    path = f"{project.main}/snapshot"
    assert project.api.refused("POST", path, None, slug=slug)[0] == 400
    assert snapshots(project) == []


@pytest.mark.parametrize("slug", ["v", "v1", "a--b", "v" * 63])
def test_slugs_that_are_allowed(project: Project, slug: str) -> None:
    made = project.api.ok("POST", f"{project.main}/snapshot", None, slug=slug)
    assert made["snapshot"]["slug"] == slug


def test_of_two_at_once_one_gets_it(project: Project) -> None:
    def create(number: int) -> int:
        path = f"{project.main}/snapshot"
        return int(project.api.ask("POST", path, None, name=f"n{number}", slug="same")[0])

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(create, range(6)))
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 423}
    assert [one["slug"] for one in snapshots(project)] == ["same"]


def test_addresses_take_the_id_alone_as_neons_document_says(project: Project) -> None:
    project.api.ok("POST", f"{project.main}/snapshot", None, slug="v-1")
    for method, path in (("POST", "/restore"), ("DELETE", "")):
        assert project.api.refused(method, f"{project.path}/snapshots/v-1{path}")[0] == 404
