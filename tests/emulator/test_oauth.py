"""What tokens are good for: whose they are, what they say of the user, who sees them."""

from __future__ import annotations

import logging

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests import asking
from tests.emulator.api import Api
from tests.emulator.oauth import (
    READ,
    Application,
    Person,
)
from tests.emulator.serving import NeonServer


def test_a_token_is_its_users_and_nobody_elses(
    person: Person, cli: Application, api: Api, neon_server_here: NeonServer
) -> None:
    hers, ours = person.api.create_project(name="hers"), api.create_project(name="ours")
    tokens = person.tokens(cli)
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert tokens["scope"] == f"openid offline {READ}"
    token = api.as_key(tokens["access_token"])
    assert token.ok("GET", "/users/me")["email"] == person.email
    assert token.ok("GET", "/auth")["auth_method"] == "oauth"
    assert [one["id"] for one in token.ok("GET", "/projects")["projects"]] == [hers.id]
    assert token.refused("GET", ours.path)[0] == 404
    assert token.refused("GET", "/projects", org_id=neon_server_here.org_id)[0] == 404
    assert api.as_key(tokens["refresh_token"]).refused("GET", "/users/me")[0] == 401
    assert api.as_key(tokens["id_token"]).refused("GET", "/users/me")[0] == 401


def test_the_id_token_is_what_openid_connect_wants(
    person: Person, web: Application, neon_server_here: NeonServer
) -> None:
    found = asking.get(f"{web.root}/.well-known/openid-configuration").json()
    assert found["issuer"] == web.root
    assert found["authorization_endpoint"].startswith("http://127.0.0.1:")
    assert found["code_challenge_methods_supported"] == ["S256"]
    tokens = person.tokens(web, nonce="once")
    keys = KeySet.import_key_set(asking.get(found["jwks_uri"]).json())
    token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    claims = token.claims
    assert claims["iss"] == web.root
    assert claims["aud"] == web.id
    assert claims["sub"] == person.user.id
    assert claims["email"] == person.email
    assert claims["nonce"] == "once"
    assert claims["exp"] - claims["iat"] == 3600
    from authlib.oidc.core import CodeIDToken

    CodeIDToken(
        claims, token.header, params={"access_token": tokens["access_token"]}
    ).validate_at_hash()
    shown = asking.get(
        found["userinfo_endpoint"], headers={"Authorization": f"Bearer {tokens['access_token']}"}
    ).json()
    assert shown == {
        "sub": person.user.id,
        "email": person.email,
        "email_verified": True,
        "name": person.user.name,
    }


def test_without_openid_and_offline_there_is_an_access_token_alone(
    person: Person, cli: Application
) -> None:
    tokens = person.tokens(cli, scope=READ)
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = asking.get(f"{cli.root}/userinfo", headers=headers)
    assert answer.status_code == 403
    assert "insufficient_scope" in answer.headers["www-authenticate"]
    assert asking.get(f"{cli.root}/userinfo").status_code == 401
    wrong = asking.get(f"{cli.root}/userinfo", headers={"Authorization": "Bearer noa_x"})
    assert wrong.json() == {"error": "invalid_token"}


def test_neither_logs_nor_the_store_hold_secrets(
    person: Person,
    web: Application,
    api: Api,
    neon_server_here: NeonServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        code = person.allow(web)
        tokens = web.exchange(code).json()
        web.refresh(tokens["refresh_token"])
        Api(neon_server_here.base, tokens["access_token"]).ok("GET", "/users/me")
    seen = api.control("GET", "/requests").text
    ours = "".join(one.getMessage() for one in caplog.records if not one.name.startswith("http"))
    rows = b"".join(
        one.read_bytes() for one in neon_server_here.neon.store._path.parent.glob("neon.db*")
    )
    assert web.secret
    for secret in (code, web.secret, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in ours + seen
        assert secret.encode() not in rows
