"""The request check itself: what is right passes, what is not is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neonup_cloud import NeonClient
from tests.cloud.requests_checked import REQUESTS
from tests.conftest import remove_home, warm_home
from tests.emulator.document import PATH
from tests.emulator.serving import serving

pytestmark = pytest.mark.skipif(not PATH.exists(), reason="Neon's OpenAPI document is not here")


def wrong(method: str, path: str, query: str = "", body: Any = None) -> list[str]:
    return REQUESTS.wrong(method, path, query, b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/projects", "limit=400&recoverable=true", None),
        ("POST", "/projects", "", {"project": {"name": "shop", "settings": {"quota": {}}}}),
        ("POST", "/projects/p/branches", "", {"endpoints": [{"type": "read_write"}]}),
        ("DELETE", "/projects/p/branches/b", "", None),
    ],
)
def test_right(method: str, path: str, query: str, body: Any) -> None:
    assert wrong(method, path, query, body) == []


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "word"),
    [
        ("GET", "/project", "", None, "no such operation"),
        ("PUT", "/projects", "", None, "no such operation"),
        ("GET", "/projects", "limit=401", None, "limit"),
        ("GET", "/projects", "recoverable=True", None, "recoverable"),
        ("GET", "/projects", "colour=red", None, "colour"),
        ("GET", "/projects/p/connection_uri", "role_name=r", None, "database_name"),
        ("GET", "/projects", "", {}, "no body"),
        ("POST", "/projects", "", None, "body is missing"),
        ("POST", "/projects", "", {"project": {"name": 1}}, "project/name"),
        ("POST", "/projects", "", {"project": {"nmae": "shop"}}, "nmae"),
        ("POST", "/projects/p/branches", "", {"endpoints": [{"tpye": "x"}]}, "tpye"),
    ],
)
def test_wrong(method: str, path: str, query: str, body: Any, word: str) -> None:
    found = wrong(method, path, query, body)
    assert found
    assert any(word in one for one in found), found


def test_a_wrong_request_is_seen_at_the_server(warm_parts: Path) -> None:
    """As of a child process: it passes no transport of the tests'."""
    home = warm_home(warm_parts)
    with (
        pytest.raises(AssertionError, match="colour"),
        serving(home) as server,
        NeonClient(server.key, base_url=server.base) as neon,
    ):
        neon.request("GET", "/projects", query={"colour": "red"})
    remove_home(home)
