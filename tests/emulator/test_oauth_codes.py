"""Exchanging a code for tokens: what it is bound to, and how clients authenticate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests import asking
from tests.emulator.api import Api
from tests.emulator.oauth import (
    Application,
    Person,
    register,
)
from tests.emulator.serving import NeonServer


def test_a_code_works_once_and_its_second_use_ends_all(
    person: Person, cli: Application, api: Api
) -> None:
    code = person.allow(cli)
    tokens = cli.exchange(code).json()
    token = api.as_key(tokens["access_token"])
    assert token.ok("GET", "/users/me")["email"] == person.email
    again = cli.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert token.refused("GET", "/users/me")[0] == 401
    assert cli.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_code_is_over_after_a_minute(
    person: Person, cli: Application, neon_server_here: NeonServer
) -> None:
    code = person.allow(cli)
    clock = neon_server_here.neon.clock
    try:
        clock.ahead += timedelta(seconds=61)
        assert cli.exchange(code).json()["error"] == "invalid_grant"
    finally:
        clock.ahead -= timedelta(seconds=61)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": "short"},
        {"code_verifier": None},
        {"redirect_uri": "http://127.0.0.1:4712/callback"},
        {"redirect_uri": None},
    ],
)
def test_a_code_is_bound_to_its_request_and_lost_by_a_wrong_one(
    person: Person, cli: Application, changes: dict[str, str | None]
) -> None:
    code = person.allow(cli)
    wrong = cli.exchange(code, **changes)
    assert wrong.status_code == 400
    assert wrong.json()["error"] in ("invalid_grant", "invalid_request")
    assert cli.exchange(code).json()["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_application(
    person: Person, cli: Application, web: Application, neon_server_here: NeonServer
) -> None:
    other = register(neon_server_here, web.redirect_uri)
    other.verifier = web.verifier
    code = person.allow(web)
    assert other.exchange(code).json()["error"] == "invalid_grant"
    assert cli.exchange(code, code_verifier=web.verifier).json()["error"] == "invalid_grant"
    assert web.exchange(code).status_code == 200


def test_a_verifier_without_a_challenge_is_refused(person: Person, web: Application) -> None:
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    assert web.exchange(person.allow(web, **without)).json()["error"] == "invalid_request"
    code = person.allow(web, **without)
    assert web.exchange(code, code_verifier=None).status_code == 200


def test_an_address_that_was_not_named_is_not_repeated(person: Person, web: Application) -> None:
    code = person.allow(web, redirect_uri=None)
    assert web.exchange(code, redirect_uri=None).status_code == 200


def test_clients_with_a_secret_have_to_know_it(person: Person, web: Application) -> None:
    code = person.allow(web)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": web.redirect_uri,
        "code_verifier": web.verifier,
    }
    url = f"{web.root}/oauth2/token"
    assert web.secret
    wrong: list[dict[str, Any]] = [
        {"data": {**fields, "client_id": web.id}},
        {"data": {**fields, "client_id": web.id, "client_secret": "wrong"}},
        {"data": fields, "auth": (web.id, "wrong")},
        {"data": fields, "auth": ("nobody", web.secret)},
        {"data": fields, "headers": {"Authorization": "Basic /////w=="}},
        {"data": fields, "headers": {"Authorization": "Basic x"}},
        {"data": fields},
    ]
    for one in wrong:
        answer = asking.post(url, **one)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    right = asking.post(url, data={**fields, "client_id": web.id, "client_secret": web.secret})
    assert right.status_code == 200
    assert right.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"", "application/x-www-form-urlencoded", "invalid_request"),
        (b"grant_type=password", "application/x-www-form-urlencoded", "unsupported_grant_type"),
        (b"grant_type=%22", "application/x-www-form-urlencoded", "unsupported_grant_type"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded", "invalid_request"),
        (b"\xff=\xff", "application/x-www-form-urlencoded", "invalid_request"),
        (b'{"grant_type": "authorization_code"}', "application/json", "invalid_request"),
        (
            b"grant_type=authorization_code&client_id=neonctl",
            "application/x-www-form-urlencoded",
            "invalid_request",
        ),
        (
            b"grant_type=authorization_code&client_id=neonctl&code=%00",
            "application/x-www-form-urlencoded",
            "invalid_grant",
        ),
        (b"x" * 70_000, "application/x-www-form-urlencoded", "invalid_request"),
    ],
)
def test_strange_requests_for_tokens_are_refused(
    cli: Application, body: bytes, kind: str, error: str
) -> None:
    url = f"{cli.root}/oauth2/token"
    answer = asking.post(url, content=body, headers={"Content-Type": kind})
    assert answer.status_code in (400, 413)
    assert answer.json()["error"] == error
