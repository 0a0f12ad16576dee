"""What the routes and views for web applications refuse, and what they survive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from neonup_cloud import oauth
from neonup_cloud.web.connecting import AccountConnection
from neonup_emulator.neon.oauth import clients
from neonup_emulator.neon.oauth.model import OAuthGrant
from tests import asking
from tests.cloud.oauth.web import COMMANDS, Site, Visitor, site
from tests.cloud.oauth.wire import wire
from tests.emulator.oauth import Person, root_of
from tests.emulator.serving import NeonServer
from tests.waiting import wait_until


@pytest.fixture(scope="module", params=COMMANDS)
def example(
    request: pytest.FixtureRequest,
    neon_server_here: NeonServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    name = str(request.param)
    with site(name, neon_server_here, tmp_path_factory.mktemp(name)) as found:
        yield found


@pytest.fixture
def visitor(example: Site) -> Iterator[Visitor]:
    found = Visitor(example)
    with found.client:
        yield found


def back(person: Person, url: str, decision: str = "allow", **changes: str) -> str:
    """Where the browser is sent after somebody pressed a button, or somebody changed that."""
    parameters = dict(parse_qsl(urlsplit(url).query))
    answered = {**person.decide(parameters, decision), **changes}
    return str(httpx.URL(parameters["redirect_uri"], params=answered))


def outcome(answer: httpx.Response) -> str:
    """What the application says when something is done."""
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["neon"][0]


def kept(example: Site) -> dict[str, Any]:
    """The tokens of all visitors, by the file."""
    return {path.name: json.loads(path.read_text()) for path in example.tokens.glob("*.json")}


def grants(server: NeonServer, person: Person) -> int:
    return sum(one.user_id == person.user.id for one in server.neon.store.all(OAuthGrant))


def test_what_is_asked_for(visitor: Visitor) -> None:
    url = visitor.press("/neon/connect").headers["location"]
    asked = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert asked["scope"].split() == [
        *("openid", "offline", "offline_access"),
        *("urn:neoncloud:projects:read", "urn:neoncloud:projects:create"),
    ]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()


def test_connected_again_the_first_is_revoked(
    visitor: Visitor, person: Person, neon_server_here: NeonServer
) -> None:
    for _ in range(2):
        url = visitor.press("/neon/connect").headers["location"]
        assert outcome(visitor.client.get(back(person, url))) == "connected"
        assert grants(neon_server_here, person) == 1
    assert outcome(visitor.press("/neon/disconnect")) == "disconnected"
    assert grants(neon_server_here, person) == 0


def test_a_state_of_another_browser(visitor: Visitor, person: Person, example: Site) -> None:
    """Somebody sends a victim the end of a sign-in of their own."""
    before = kept(example)
    with asking.client(base_url=visitor.client.base_url) as client:
        other = Visitor(example)
        other.client.close()
        other.client = client
        link = back(person, other.press("/neon/connect").headers["location"])
        assert outcome(visitor.client.get(link)) == "failed"  # nothing is pending there
        visitor.press("/neon/connect")
        assert outcome(visitor.client.get(link)) == "failed"  # something else is
    assert kept(example) == before
    assert "does not belong" in example.said


@pytest.mark.parametrize("change", [{"state": "another"}, {"code": "none"}, {"code": ""}])
def test_a_changed_answer(
    visitor: Visitor, person: Person, example: Site, change: dict[str, str]
) -> None:
    before = kept(example)
    url = visitor.press("/neon/connect").headers["location"]
    assert outcome(visitor.client.get(back(person, url, **change))) == "failed"
    assert kept(example) == before


def test_an_answer_twice(visitor: Visitor, person: Person) -> None:
    link = back(person, visitor.press("/neon/connect").headers["location"])
    assert outcome(visitor.client.get(link)) == "connected"
    assert outcome(visitor.client.get(link)) == "failed"
    assert "disconnect" in visitor.client.get("/").text  # and what there is stays


def test_revoked_by_the_user_at_neon(
    visitor: Visitor, person: Person, neon_server_here: NeonServer, example: Site
) -> None:
    url = visitor.press("/neon/connect").headers["location"]
    assert outcome(visitor.client.get(back(person, url))) == "connected"
    store = neon_server_here.neon.store
    store.delete(*(one for one in store.all(OAuthGrant) if one.user_id == person.user.id))
    assert visitor.client.get("/").status_code == 500
    wait_until(lambda: "SignInEnded" in example.said, "the log")
    page = visitor.client.get("/")
    assert page.status_code == 200
    assert "/neon/connect" in page.text


def test_denied(visitor: Visitor, person: Person) -> None:
    url = visitor.press("/neon/connect").headers["location"]
    assert outcome(visitor.client.get(back(person, url, "deny"))) == "denied"


@pytest.mark.parametrize("path", ["/neon/connect", "/neon/disconnect"])
def test_other_sites_begin_and_end_nothing(visitor: Visitor, path: str) -> None:
    assert visitor.client.get(path).status_code == 405
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    assert visitor.client.post(path, headers=headers).status_code == 403


def test_nothing_secret_is_logged(visitor: Visitor, person: Person, example: Site) -> None:
    url = visitor.press("/neon/connect").headers["location"]
    assert outcome(visitor.client.get(back(person, url))) == "connected"
    assert outcome(visitor.client.get(back(person, url, "deny"))) == "failed"
    said = example.said
    for one in kept(example).values():
        assert one["access_token"] not in said
        assert one["refresh_token"] not in said


def test_an_id_token_for_another_question(
    neon_server_here: NeonServer, person: Person, tmp_path: Path
) -> None:
    callback = "http://127.0.0.1:4711/callback"
    made, secret = clients.register(neon_server_here.neon, "Shop", [callback])
    application = oauth.Application(
        made.id, callback, secret, (oauth.scopes.OPENID,), root_of(neon_server_here)
    )
    assert secret is not None
    assert secret not in repr(application)
    url, pending = oauth.connect.begin(application)
    assert pending.nonce not in repr(pending)
    link = back(person, url)
    other = oauth.PendingSignIn(pending.state, "another nonce", pending.verifier)
    with pytest.raises(oauth.SignInError, match="ID token"):
        oauth.connect.complete(application, link, other)

    url, pending = oauth.connect.begin(application)
    other = oauth.PendingSignIn(pending.state, pending.nonce, "x" * 64)
    with pytest.raises(oauth.SignInError, match="did not issue"):
        oauth.connect.complete(application, back(person, url), other)

    url, pending = oauth.connect.begin(application)
    tokens = oauth.connect.complete(application, back(person, url), pending)
    assert tokens.refresh_token is None  # offline access was not asked for
    assert tokens.access_token not in repr(tokens)


@pytest.mark.parametrize(
    ("after", "address"),
    [
        ("/", "/?neon=disconnected"),
        ("/settings?tab=neon", "/settings?tab=neon&neon=disconnected"),
        ("/settings#accounts", "/settings?neon=disconnected#accounts"),
        ("https://shop.example/a", "https://shop.example/a?neon=disconnected"),
    ],
)
def test_the_outcome_is_in_the_query_of_the_address_afterwards(
    after: str, address: str, tmp_path: Path
) -> None:
    """Without a web framework: a request is a name here."""
    application = oauth.Application("shop", "http://127.0.0.1:4711/callback", "secret")
    stores = {"ada": oauth.FileTokens(tmp_path / "ada.json")}
    account = AccountConnection[str](application, stores.get, after=after)
    assert account.stored("nobody") is None
    assert account.stored("ada") is None
    assert account.disconnect(stores["ada"]) == address  # nothing is connected: Neon is not asked


def test_disconnected_though_neon_does_not_answer(
    neon_server_here: NeonServer, person: Person, tmp_path: Path
) -> None:
    from neonup.errors import NeonupError

    callback = "http://127.0.0.1:4711/callback"
    made, secret = clients.register(neon_server_here.neon, "Shop", [callback])
    store = oauth.FileTokens(tmp_path / "tokens.json")
    with wire(neon_server_here) as found:
        application = oauth.Application(made.id, callback, secret, host=found.root)
        store.save(oauth.Tokens("access", "refresh"))
        found.answer("POST /oauth2/revoke", 500, b"")
        with pytest.raises(NeonupError):
            oauth.connect.disconnect(application, store)
    assert store.load() is None
    assert oauth.connect.disconnect(application, store) is False
