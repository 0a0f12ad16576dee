"""Registering applications, and what becomes of tokens when one is removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.api import Api
from tests.emulator.oauth import (
    READ,
    Person,
    clients,
    register,
    returned,
)
from tests.emulator.serving import NeonServer


def test_applications_are_registered_by_the_default_user(
    person: Person, neon_server_here: NeonServer
) -> None:
    server, body = neon_server_here, {"name": "x", "redirect_uris": ["http://localhost:3000/cb"]}
    assert clients(server, "POST", body, key="wrong").status_code == 401
    assert clients(server, "POST", body, key=person.key).status_code == 403
    made = clients(server, "POST", body)
    listed = clients(server, "GET")
    assert made.json()["client_secret"] not in listed.text
    assert made.json()["client_id"] in listed.text
    path = f"/{made.json()['client_id']}"
    assert clients(server, "DELETE", path=path).status_code == 200
    assert clients(server, "DELETE", path=path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "", "redirect_uris": ["https://a.example/"]},
        {"name": "x", "redirect_uris": []},
        {"name": "x", "redirect_uris": ["/callback"]},
        {"name": "x", "redirect_uris": ["https://*.example/"]},
        {"name": "x", "redirect_uris": ["https://user@a.example/"]},
        {"name": "x", "redirect_uris": ["https://a.example/#f"]},
        {"name": "x", "redirect_uris": ["javascript:alert(1)"]},
        {"name": "x", "redirect_uris": ["https://a.example:x/"]},
        {"name": "x", "redirect_uris": ["https://a.example; script-src *"]},
        {"name": "x", "redirect_uris": ["https://a.example/"], "scopes": ["all"]},
        {"name": "x", "redirect_uris": ["https://a.example/"], "admin": True},
    ],
)
def test_strange_applications_are_refused(neon_server_here: NeonServer, body: Any) -> None:
    assert clients(neon_server_here, "POST", body).status_code in (400, 422)


def test_an_application_asks_for_its_own_scopes_alone(
    person: Person, neon_server_here: NeonServer
) -> None:
    web = register(neon_server_here, "https://b.example/", scopes=["openid", READ])
    assert returned(person.visit(web.request()))["error"] == "invalid_scope"
    assert person.tokens(web, scope=f"openid {READ}")["scope"] == f"openid {READ}"


def test_what_was_allowed_ends_with_the_application(
    person: Person, api: Api, neon_server_here: NeonServer
) -> None:
    web = register(neon_server_here, "https://gone.example/")
    token = api.as_key(person.tokens(web)["access_token"])
    assert token.ok("GET", "/users/me")["email"] == person.email
    clients(neon_server_here, "DELETE", path=f"/{web.id}")
    assert token.refused("GET", "/users/me")[0] == 401
    assert person.visit(web.request()).status_code == 400
