"""The URLs of a branch's database, from what a service answers."""

from __future__ import annotations

import pytest

from neonup import ProviderError
from neonup.plugin.http import drive
from neonup_cloud import NeonClient
from neonup_cloud.account import location
from neonup_cloud.api.answers import Branch
from neonup_cloud.api.client import Groups
from neonup_cloud.api.connection_urls import ConnectionUrls, connection_urls, direct_url
from neonup_cloud.api.errors import NotFound, UnusableAnswer
from tests.cloud.hostile import Reply, hostile, refusal

KEY = "napi_very_secret_key"
BRANCH = Branch(id="br-cool-frost-12345678", project_id="late-frost-12345678", name="main")
URL = "postgresql://owner:npg_secret@ep-1.neon.tech/shop"


def databases(*names: str) -> Reply:
    listed = [
        {"id": number, "branch_id": BRANCH.id, "name": name, "owner_name": "owner"}
        for number, name in enumerate(names)
    ]
    return Reply(200, {"databases": listed})


def uri(url: str) -> Reply:
    return Reply(200, {"uri": url})


def test_both_urls_of_the_only_database() -> None:
    pooled = URL.replace("ep-1", "ep-1-pooler")
    answers = databases("shop"), uri(pooled), uri(URL)
    with hostile(*answers) as server, NeonClient(KEY, base_url=server.base) as neon:
        urls = drive(connection_urls(Groups(neon.api, None), BRANCH), neon.sender)
    assert urls == ConnectionUrls(pooled, URL)
    assert "npg_secret" not in repr(urls)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"{URL}?sslkey=/home/me/key", id="a file of this machine"),
        pytest.param(URL.replace("postgresql", "mysql"), id="another database"),
        pytest.param("postgresql:///shop", id="no host"),
    ],
)
def test_a_url_that_is_not_safe_is_refused(url: str) -> None:
    """Also for versions and previews, whose URLs were handed on as they came."""
    answers = databases("shop"), uri(url)
    with (
        hostile(*answers) as server,
        NeonClient(KEY, base_url=server.base) as neon,
        pytest.raises(UnusableAnswer, match="connection string") as caught,
    ):
        drive(direct_url(Groups(neon.api, None), BRANCH, None), neon.sender)
    assert "npg_secret" not in str(caught.value)


def test_a_database_that_does_not_exist() -> None:
    with (
        hostile(databases("shop", "blog")) as server,
        NeonClient(KEY, base_url=server.base) as neon,
        pytest.raises(ProviderError, match="no database 'neondb'") as caught,
    ):
        location.urls(neon, BRANCH)
    assert "shop, blog" in str(caught.value)
    assert "NEONUP_ACCOUNT_DATABASE" in str(caught.value.remedy)


def test_a_refusal_of_neons_keeps_its_own_remedy() -> None:
    with (
        hostile(databases("shop"), refusal(404)) as server,
        NeonClient(KEY, base_url=server.base) as neon,
        pytest.raises(NotFound) as caught,
    ):
        location.urls(neon, BRANCH, role="gone")
    assert "NEONUP_ACCOUNT_DATABASE" not in str(caught.value.remedy)
