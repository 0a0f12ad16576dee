"""The authorization code grant: the way to a code, what a code is good for, and who the user is."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.neon.api import Api
from tests.neon.oauth import CALLBACK, READ, Application, Person, field_of, returned, root_of
from tests.neon.serving import NeonServer


@pytest.fixture
def cli(neon_server_here: NeonServer) -> Application:
    """The official command line, which everybody can claim to be."""
    return Application(root_of(neon_server_here))


@pytest.fixture
def web(neon_server_here: NeonServer) -> Application:
    return register(neon_server_here, "https://app.example/callback?from=neon")


def register(server: NeonServer, redirect_uri: str, **more: Any) -> Application:
    answer = clients(server, "POST", {"name": "Shop", "redirect_uris": [redirect_uri], **more})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return Application(
        root_of(server), made["client_id"], made.get("client_secret"), redirect_uri=redirect_uri
    )


def clients(
    server: NeonServer, method: str, body: Any = None, *, key: str | None = None, path: str = ""
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key or server.key}"}
    url = f"{root_of(server)}/neonup/oauth-clients{path}"
    return httpx.request(method, url, json=body, headers=headers)


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
    found = httpx.get(f"{web.root}/.well-known/openid-configuration").json()
    assert found["issuer"] == web.root
    assert found["authorization_endpoint"].startswith("http://127.0.0.1:")
    assert found["code_challenge_methods_supported"] == ["S256"]
    tokens = person.tokens(web, nonce="once")
    keys = KeySet.import_key_set(httpx.get(found["jwks_uri"]).json())
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
    shown = httpx.get(
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
    answer = httpx.get(f"{cli.root}/userinfo", headers=headers)
    assert answer.status_code == 403
    assert "insufficient_scope" in answer.headers["www-authenticate"]
    assert httpx.get(f"{cli.root}/userinfo").status_code == 401
    wrong = httpx.get(f"{cli.root}/userinfo", headers={"Authorization": "Bearer noa_x"})
    assert wrong.json() == {"error": "invalid_token"}


def test_whoever_is_not_signed_in_signs_in_first(cli: Application) -> None:
    moved = httpx.get(f"{cli.root}/oauth2/auth", params=cli.request(state="a b&c"))
    assert moved.headers["location"].startswith("http://127.0.0.1:")
    page = httpx.get(moved.headers["location"])
    assert page.status_code == 303
    back = httpx.URL(page.headers["location"]).params["next"]
    assert httpx.URL(back).params["state"] == "a b&c"
    assert dict(httpx.URL(back).params) == cli.request(state="a b&c")


def test_login_can_be_asked_for_again(person: Person, cli: Application) -> None:
    page = person.visit(cli.request(prompt="login"))
    assert page.status_code == 303
    back = page.headers["location"]
    assert back.startswith("/sign-in?")
    assert "prompt" not in httpx.URL(httpx.URL(back).params["next"]).params


def test_prompt_none_asks_nobody(person: Person, cli: Application) -> None:
    said = returned(person.visit(cli.request(prompt="none")))
    assert (said["error"], said["state"]) == ("consent_required", "a state")
    url = f"{person.browser.base_url}/oauth2/auth"
    said = returned(httpx.get(url, params=cli.request(prompt="none")))
    assert said["error"] == "login_required"


def test_the_page_says_who_asks_for_what(person: Person, web: Application) -> None:
    page = person.visit(web.request())
    assert "Shop" in page.text
    assert person.email in page.text
    assert "See your projects" in page.text
    assert "Delete" not in page.text
    assert "app.example" in page.text
    policy = page.headers["content-security-policy"]
    assert "form-action 'self' https://app.example;" in policy


def test_a_no_is_brought_back(person: Person, web: Application) -> None:
    said = person.decide(web.request(), "deny")
    assert said["error"] == "access_denied"
    assert said["state"] == "a state"
    assert "code" not in said


@pytest.mark.parametrize("state", ["", "a+b/c=&?#", 'quo"te', "ünïcode", "x" * 1000])
def test_the_state_comes_back_as_it_was(person: Person, web: Application, state: str) -> None:
    said = person.decide(web.request(state=state))
    assert said.get("state", "") == state
    assert said["from"] == "neon"


def test_a_decision_needs_the_token_of_the_session(person: Person, cli: Application) -> None:
    page = person.visit(cli.request())
    token = field_of(page, "csrf")
    for fields in ({"decision": "allow"}, {"decision": "allow", "csrf": f"{token}x"}):
        answer = person.browser.post("/oauth2/auth", params=cli.request(), data=fields)
        assert answer.status_code == 403
    fields = {"decision": "allow", "csrf": token}
    answer = person.browser.post(
        "/oauth2/auth",
        params=cli.request(),
        data=fields,
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'co"de'}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "urn:neoncloud:everything"}, "invalid_scope"),
        ({"scope": 'openid "'}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_brought_back(
    person: Person, cli: Application, changes: dict[str, str | None], error: str
) -> None:
    said = returned(person.visit(cli.request(**changes)), CALLBACK)
    assert (said["error"], said["state"]) == (error, "a state")


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "http://127.0.0.1:4711/callback/",
        "http://127.0.0.1:4711/Callback",
        "http://127.0.0.1:4711/callback?x=1",
        "http://127.0.0.1:4711/callback#x",
        "http://127.0.0.1:4711/callback/../callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:4711@evil.example/callback",
        "http://user@127.0.0.1:4711/callback",
        "http://127.0.0.1.evil.example:4711/callback",
        "http://localhost:4711/callback",
        "http://[::1]:4711/callback",
        "https://127.0.0.1:4711/callback",
        "HTTP://127.0.0.1:4711/callback",
        "//127.0.0.1:4711/callback",
        "javascript:alert(1)",
        "http://127.0.0.1:4711/callback\n",
        "http://127.0.0.1:٤٧١١/callback",
        'http://127.0.0.1:4711/"callback',
    ],
)
def test_a_command_line_is_answered_on_loopback_alone(
    person: Person, cli: Application, uri: str | None
) -> None:
    page = person.visit(cli.request(redirect_uri=uri))
    assert page.status_code == 400
    assert "location" not in page.headers
    assert "redirect URI" in page.text


@pytest.mark.parametrize("port", ["", ":1", ":65535"])
def test_its_port_is_free(person: Person, cli: Application, port: str) -> None:
    uri = f"http://127.0.0.1{port}/callback"
    assert person.visit(cli.request(redirect_uri=uri)).status_code == 200


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "https://app.example/callback?from=neon&more=1",
        "https://app.example/callback/?from=neon",
        "https://app.example/Callback?from=neon",
        "https://APP.example/callback?from=neon",
        "https://app.example:443/callback?from=neon",
        "https://user@app.example/callback?from=neon",
        "https://app.example/callback?from=neon#",
        "https://app.example/callback?from=neon ",
        "http://app.example/callback?from=neon",
        "https://app.example.evil.example/callback?from=neon",
    ],
)
def test_a_web_application_is_answered_at_its_address_to_the_letter(
    person: Person, web: Application, uri: str
) -> None:
    page = person.visit(web.request(redirect_uri=uri))
    assert page.status_code == 400
    assert "location" not in page.headers


def test_a_port_of_a_web_application_on_loopback_is_not_free(
    person: Person, neon_server_here: NeonServer
) -> None:
    web = register(neon_server_here, "http://127.0.0.1:3000/callback")
    assert person.visit(web.request()).status_code == 200
    other = web.request(redirect_uri="http://127.0.0.1:3001/callback")
    assert person.visit(other).status_code == 400


@pytest.mark.parametrize("client_id", [None, "", "nobody", 'no"body', "neonctl\x00"])
def test_an_unknown_application_is_answered_by_a_page(
    person: Person, cli: Application, client_id: str | None
) -> None:
    page = person.visit(cli.request(client_id=client_id))
    assert page.status_code == 400
    assert "location" not in page.headers
    assert "invalid_client" in page.text


def test_a_parameter_said_twice_is_refused(person: Person, cli: Application) -> None:
    for name in ("client_id", "redirect_uri", "state", "scope", "response_type"):
        twice = httpx.QueryParams(cli.request()).add(name, cli.request()[name])
        answer = person.browser.get("/oauth2/auth", params=twice)
        assert answer.status_code == 400, name


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
        answer = httpx.post(url, **one)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic ")
    right = httpx.post(url, data={**fields, "client_id": web.id, "client_secret": web.secret})
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
    answer = httpx.post(url, content=body, headers={"Content-Type": kind})
    assert answer.status_code in (400, 413)
    assert answer.json()["error"] == error


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
