"""What a token may do: every scope against every operation."""

from __future__ import annotations

import re

import pytest

from neonup_emulator.api.v2 import routes, scopes
from neonup_emulator.api.v2.not_here import NOT_HERE
from neonup_emulator.api.v2.operations import OPERATIONS
from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.scopes import SCOPES
from tests import asking
from tests.emulator.api import Api, Project
from tests.emulator.oauth import Person
from tests.emulator.serving import NeonServer


def token_of(server: NeonServer, person: Person, *scope: str) -> str:
    """An access token, as the token endpoint issues it."""
    neon, access = server.neon, oauth_tokens.new_access_token()
    given = oauth_tokens.grant(
        neon,
        person.user,
        oauth_tokens.new_code(),
        client_id="neonctl",
        redirect_uri="http://127.0.0.1/callback",
        redirect_uri_sent=True,
        scope=" ".join(scope),
        nonce=None,
        challenge=None,
    )
    oauth_tokens.issue(neon, given, access=access, scope=given.scope)
    return access


def test_every_operation_has_its_scopes() -> None:
    assert routes.routes()
    carried_out = {one.id for one in OPERATIONS}
    assert carried_out - set(scopes.NEEDED) == set()
    assert set(scopes.NEEDED) - carried_out - set(NOT_HERE) == set()
    assert set().union(*scopes.NEEDED.values()) <= set(SCOPES)


@pytest.mark.parametrize("scope", [None, *SCOPES])
def test_a_scope_opens_its_operations_and_no_others(
    neon_server_here: NeonServer, person: Person, scope: str | None
) -> None:
    token = token_of(neon_server_here, person, *filter(None, [scope]))
    headers = {"Authorization": f"Bearer {token}"}
    with asking.client(headers=headers, timeout=60) as client:
        for operation in OPERATIONS:
            path = re.sub(r"\{\w+\}", "none", operation.path)
            answer = client.request(operation.method, f"{neon_server_here.base}{path}")
            closed = answer.status_code == 403 and "lacks the scope" in answer.json()["message"]
            assert closed != set(scopes.NEEDED[operation.id]).issubset({scope}), operation.id
            assert answer.status_code < 500, operation.id


def test_all_but_one_scope_do_not_make_a_key(
    neon_server_here: NeonServer, person: Person, api: Api
) -> None:
    for missing in scopes.NEEDED["createApiKey"]:
        token = token_of(neon_server_here, person, *(set(SCOPES) - {missing}))
        status, said = api.as_key(token).refused("POST", "/api_keys", {"key_name": "x"})
        assert (status, said) == (403, f"the access token lacks the scope {missing}")
    token = token_of(neon_server_here, person, *scopes.NEEDED["createApiKey"])
    assert api.as_key(token).ok("POST", "/api_keys", {"key_name": "x"})["key"]


def test_all_scopes_do_not_open_what_is_anothers(
    neon_server_here: NeonServer, person: Person, project: Project
) -> None:
    token = project.api.as_key(token_of(neon_server_here, person, *SCOPES))
    for method, path in (
        ("GET", project.path),
        ("DELETE", project.path),
        ("GET", f"{project.main}/endpoints"),
        ("POST", f"{project.path}/recover"),
        ("GET", f"/organizations/{neon_server_here.org_id}"),
        ("GET", f"/organizations/{neon_server_here.org_id}/members"),
    ):
        assert token.refused(method, path)[0] == 404


def test_what_is_not_carried_out_says_so_to_tokens_too(
    neon_server_here: NeonServer, person: Person, api: Api
) -> None:
    token = api.as_key(token_of(neon_server_here, person, "openid"))
    status, said = token.refused("GET", "/projects/none/advisors")
    assert status == 501
    assert "getProjectAdvisorSecurityIssues" in said
