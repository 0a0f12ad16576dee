"""Whose requests are a developer's on this machine; tests/fastapi asks the same over HTTP."""

from __future__ import annotations

import pytest

from neonup_web.requests import is_local


@pytest.mark.parametrize("client", ["127.0.0.1", "127.0.0.2", "::1"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "shop.localhost"])
def test_this_machine(client: str, host: str) -> None:
    assert is_local(client, {"Host": host})


@pytest.mark.parametrize("client", [None, "", "testclient", "203.0.113.9", "10.0.0.1"])
def test_another_machine(client: str | None) -> None:
    assert not is_local(client, {"Host": "localhost"})


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR"])
def test_the_case_of_a_header_does_not_matter(name: str) -> None:
    assert is_local("127.0.0.1", {"HOST": "localhost"})
    assert not is_local("127.0.0.1", {"HOST": "localhost", name: "203.0.113.9"})


@pytest.mark.parametrize("host", ["", "[", "shop.example", "localhost.example", "notlocalhost"])
def test_another_name(host: str) -> None:
    assert not is_local("127.0.0.1", {"Host": host})
    assert not is_local("127.0.0.1", {})
