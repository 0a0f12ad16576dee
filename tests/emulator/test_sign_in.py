"""Signing in to the pages: the printed link, a key, or a new account; and what forms need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from neonup_emulator.neon.accounts.model import WebSession
from tests import asking
from tests.emulator.serving import NeonServer


@pytest.fixture
def pages(neon_server_here: NeonServer) -> Iterator[httpx.Client]:
    root = neon_server_here.base.removesuffix("/api/v2")
    with asking.client(base_url=root, follow_redirects=True) as client:
        yield client


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def sign_in(pages: httpx.Client, **fields: str) -> httpx.Response:
    token = csrf(pages.get("/sign-in"))
    return pages.post("/sign-in", data={"csrf": token, "next": "/sign-in", **fields})


def test_the_printed_link_signs_in(pages: httpx.Client, neon_server_here: NeonServer) -> None:
    token = neon_server_here.neon.console_token
    page = pages.get("/sign-in", params={"token": token, "next": "/sign-in"})
    assert "developer@example.com" in page.text
    out = pages.post("/sign-out", data={"csrf": csrf(page)})
    assert out.request.url.path == "/"
    assert "developer@example.com" not in pages.get("/sign-in").text


def test_after_signing_out_a_copied_cookie_is_worth_nothing(
    pages: httpx.Client, neon_server_here: NeonServer
) -> None:
    token = neon_server_here.neon.console_token
    page = pages.get("/sign-in", params={"token": token, "next": "/sign-in"})
    with asking.client(base_url=pages.base_url, cookies=pages.cookies) as copy:
        assert "developer@example.com" in copy.get("/sign-in").text
        pages.post("/sign-out", data={"csrf": csrf(page)})
        assert "developer@example.com" not in copy.get("/sign-in").text


def test_signing_in_again_ends_the_earlier_session(
    pages: httpx.Client, neon_server_here: NeonServer
) -> None:
    token = neon_server_here.neon.console_token
    pages.get("/sign-in", params={"token": token, "next": "/sign-in"})
    with asking.client(base_url=pages.base_url, cookies=pages.cookies) as copy:
        sign_in(pages, key=neon_server_here.key)
        assert "developer@example.com" in pages.get("/sign-in").text
        assert "developer@example.com" not in copy.get("/sign-in").text


def test_a_session_ends_after_two_weeks(
    pages: httpx.Client, neon_server_here: NeonServer, later: Callable[..., None]
) -> None:
    sign_in(pages, key=neon_server_here.key)
    later(days=13.9, tidy=True)
    assert "developer@example.com" in pages.get("/sign-in").text
    later(days=14.1)
    assert "developer@example.com" not in pages.get("/sign-in").text
    later(days=14.1, tidy=True)
    assert neon_server_here.neon.store.all(WebSession) == []


def test_another_token_does_not(pages: httpx.Client) -> None:
    page = pages.get("/sign-in", params={"token": "wrong"})
    assert page.status_code == 401
    assert "developer@example.com" not in page.text


def test_an_account_that_exists_takes_its_key(
    pages: httpx.Client, neon_server_here: NeonServer
) -> None:
    refused = sign_in(pages, email="developer@example.com")
    assert refused.status_code == 401
    assert "API key" in refused.text
    assert sign_in(pages, key="napi_wrong").status_code == 401
    assert "developer@example.com" in sign_in(pages, key=neon_server_here.key).text


def test_a_new_account_takes_an_address(pages: httpx.Client, neon_server_here: NeonServer) -> None:
    page = sign_in(pages, email="grace@example.com")
    assert page.status_code == 200
    assert "grace@example.com" in page.text
    assert neon_server_here.neon.people.by_email("GRACE@example.com") is not None
    assert sign_in(pages, email="<b>").status_code == 401


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example/",
    "////evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/\x01/evil.example",
    "evil.example",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_it_leads_back_to_this_server_alone(
    pages: httpx.Client, neon_server_here: NeonServer, target: str
) -> None:
    token = neon_server_here.neon.console_token
    answer = pages.get("/sign-in", params={"token": token, "next": target}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    fields = {"csrf": csrf(pages.get("/sign-in")), "key": neon_server_here.key, "next": target}
    answer = pages.post("/sign-in", data=fields, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_forms_take_the_token_of_their_session(pages: httpx.Client) -> None:
    token = csrf(pages.get("/sign-in"))
    for fields in ({}, {"csrf": ""}, {"csrf": token + "x"}, {"csrf": "é"}):
        answer = pages.post("/sign-in", data={"email": "eve@example.com", **fields})
        assert answer.status_code == 403
    with asking.client(base_url=pages.base_url) as other:
        other.get("/sign-in")
        assert other.post("/sign-in", data={"csrf": token}).status_code == 403


def test_cookies_and_pages_are_kept_to_themselves(pages: httpx.Client) -> None:
    page = pages.get("/sign-in")
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http://" not in policy
    assert pages.get("/static/style.css").headers["content-type"].startswith("text/css")
