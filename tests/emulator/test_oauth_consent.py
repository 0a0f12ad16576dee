"""The way to a code: signing in, the user's decision, and requests that are refused."""

from __future__ import annotations

import httpx
import pytest

from tests import asking
from tests.emulator.oauth import (
    CALLBACK,
    Application,
    Person,
    field_of,
    register,
    returned,
)
from tests.emulator.serving import NeonServer


def test_whoever_is_not_signed_in_signs_in_first(cli: Application) -> None:
    moved = asking.get(f"{cli.root}/oauth2/auth", params=cli.request(state="a b&c"))
    assert moved.headers["location"].startswith("http://127.0.0.1:")
    page = asking.get(moved.headers["location"])
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
    said = returned(asking.get(url, params=cli.request(prompt="none")))
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
