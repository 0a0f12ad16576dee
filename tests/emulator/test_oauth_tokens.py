"""Refreshing and giving back tokens, and their end."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.model import OAuthCode, OAuthGrant, OAuthToken
from tests import asking
from tests.emulator.api import Api
from tests.emulator.oauth import READ, Application, Person
from tests.emulator.serving import NeonServer

DELETE = "urn:neoncloud:projects:delete"


@contextmanager
def later(server: NeonServer, **by: int) -> Iterator[None]:
    """The server's clock is ahead in the block."""
    server.neon.clock.ahead += timedelta(**by)
    try:
        yield
    finally:
        server.neon.clock.ahead -= timedelta(**by)


def works(api: Api, tokens: dict[str, Any]) -> bool:
    return api.as_key(tokens["access_token"]).ask("GET", "/users/me")[0] == 200


def test_a_refresh_token_is_exchanged_for_the_next(
    person: Person, cli: Application, api: Api
) -> None:
    first = person.tokens(cli, scope=f"offline_access {READ} {DELETE}")
    answer = cli.refresh(first["refresh_token"])
    assert answer.status_code == 200
    second = answer.json()
    assert second["scope"] == first["scope"]
    assert second["refresh_token"] != first["refresh_token"]
    assert works(api, second)
    assert works(api, cli.refresh(second["refresh_token"]).json())


def test_a_refresh_token_that_comes_again_ends_all(
    person: Person, cli: Application, api: Api
) -> None:
    first = person.tokens(cli)
    elsewhere = person.tokens(cli)
    second = cli.refresh(first["refresh_token"]).json()
    again = cli.refresh(first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not works(api, first)
    assert not works(api, second)
    assert cli.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert works(api, elsewhere)


def test_of_two_at_once_one_at_most_gets_tokens(person: Person, cli: Application) -> None:
    token, code = person.tokens(cli)["refresh_token"], person.allow(cli)
    with ThreadPoolExecutor(8) as pool:
        refreshed = list(pool.map(lambda _: cli.refresh(token).status_code, range(8)))
        exchanged = list(pool.map(lambda _: cli.exchange(code).status_code, range(8)))
    assert sorted(refreshed) == [200, *[400] * 7]
    assert sorted(exchanged) == [200, *[400] * 7]


def test_a_refresh_can_ask_for_less_but_not_for_more(
    person: Person, cli: Application, api: Api
) -> None:
    tokens = person.tokens(cli, scope=f"offline {READ} {DELETE}")
    more = cli.refresh(tokens["refresh_token"], scope=f"{READ} urn:neoncloud:projects:update")
    assert more.json()["error"] == "invalid_scope"
    less = cli.refresh(tokens["refresh_token"], scope=READ).json()
    assert less["scope"] == READ
    token = api.as_key(less["access_token"])
    assert token.refused("DELETE", "/projects/none")[0] == 403
    whole = cli.refresh(less["refresh_token"]).json()
    assert whole["scope"] == f"offline {READ} {DELETE}"


def test_a_refresh_token_is_bound_to_its_application(
    person: Person, cli: Application, neon_server_here: NeonServer
) -> None:
    from neonup_emulator.neon.oauth import clients as oauth_clients

    made, secret = oauth_clients.register(neon_server_here.neon, "x", ["https://x.example/"])
    web = Application(cli.root, made.id, secret, "https://x.example/")
    token = person.tokens(cli)["refresh_token"]
    assert web.refresh(token).json()["error"] == "invalid_grant"
    assert cli.refresh(token).status_code == 200
    hers = person.tokens(web)["refresh_token"]
    without = asking.post(
        f"{web.root}/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": hers, "client_id": web.id},
    )
    assert without.json()["error"] == "invalid_client"
    assert web.refresh(hers).status_code == 200


def test_tokens_are_over_at_their_time(
    person: Person, cli: Application, api: Api, neon_server_here: NeonServer
) -> None:
    tokens = person.tokens(cli)
    with later(neon_server_here, minutes=59):
        assert works(api, tokens)
    with later(neon_server_here, minutes=61):
        assert api.as_key(tokens["access_token"]).refused("GET", "/users/me")[0] == 401
        fresh = cli.refresh(tokens["refresh_token"]).json()
        assert works(api, fresh)
    with later(neon_server_here, days=30, minutes=62):
        assert cli.refresh(fresh["refresh_token"]).json()["error"] == "invalid_grant"


def test_what_is_over_is_forgotten(
    person: Person, cli: Application, neon_server_here: NeonServer
) -> None:
    neon = neon_server_here.neon
    person.tokens(cli)
    person.allow(cli)

    def kept() -> list[int]:
        found: list[list[OAuthGrant] | list[OAuthCode] | list[OAuthToken]] = [
            neon.store.all(OAuthGrant),
            neon.store.all(OAuthCode),
            neon.store.all(OAuthToken),
        ]
        return [sum(one.user_id == person.user.id for one in rows) for rows in found]

    oauth_tokens.forget_expired(neon)
    assert kept() == [2, 2, 2]
    with later(neon_server_here, hours=2):
        oauth_tokens.forget_expired(neon)
    assert kept() == [1, 0, 1]
    with later(neon_server_here, days=31):
        oauth_tokens.forget_expired(neon)
    assert kept() == [0, 0, 0]


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "unknown"])
def test_a_refresh_token_given_back_ends_all(
    person: Person, cli: Application, api: Api, hint: str
) -> None:
    tokens = person.tokens(cli)
    assert cli.revoke(tokens["refresh_token"], token_type_hint=hint).status_code == 200
    assert not works(api, tokens)
    assert cli.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert cli.revoke(tokens["refresh_token"]).status_code == 200


def test_an_access_token_given_back_ends_alone(person: Person, cli: Application, api: Api) -> None:
    tokens = person.tokens(cli)
    assert cli.revoke(tokens["access_token"]).status_code == 200
    assert not works(api, tokens)
    assert works(api, cli.refresh(tokens["refresh_token"]).json())


def test_a_token_is_given_back_by_its_application_alone(
    person: Person, cli: Application, api: Api, neon_server_here: NeonServer
) -> None:
    from neonup_emulator.neon.oauth import clients as oauth_clients

    made, secret = oauth_clients.register(neon_server_here.neon, "x", ["https://x.example/"])
    web = Application(cli.root, made.id, secret)
    tokens = person.tokens(cli)
    assert web.revoke(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    web.secret = "wrong"
    assert web.revoke(tokens["refresh_token"]).status_code == 401
    assert works(api, tokens)
    assert cli.ask("/oauth2/revoke").json()["error"] == "invalid_request"


def test_a_grant_survives_a_restart_of_the_server(
    person: Person, cli: Application, neon_server_here: NeonServer
) -> None:
    """All is in the store: another process that reads it knows the tokens."""
    from neonup_emulator.neon.state.store import Store

    tokens = person.tokens(cli)
    other = Store(neon_server_here.neon.store._path)
    try:
        known = {one.id for one in other.all(OAuthToken)}
    finally:
        other.close()
    row = oauth_tokens.find(neon_server_here.neon, tokens["refresh_token"])
    assert row is not None
    assert row.id in known
