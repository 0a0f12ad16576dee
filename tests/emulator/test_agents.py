"""Agents without an account: what they get, what they may do, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from neonup_emulator.api.agents import proxy
from neonup_emulator.neon.claimable.model import AgentRegistration
from neonup_emulator.neon.model import Project
from tests import asking
from tests.emulator.agent import JWT_BEARER, Agent, Person, error
from tests.emulator.api import Api, ask
from tests.emulator.serving import NeonServer

Later = Callable[..., None]


def test_discovery_leads_from_the_address_to_everything(root: str, agent: Agent) -> None:
    answer = asking.get(f"{root}/v1/projects/{agent.id}/credentials")
    assert error(answer) == "unauthorized"
    resource = asking.get(f"{root}/.well-known/oauth-protected-resource").json()
    assert resource["resource"] == f"{root}/"
    (issuer,) = resource["authorization_servers"]
    assert issuer == f"{root}/claimable"
    server = asking.get(f"{root}/.well-known/oauth-authorization-server/claimable").json()
    assert server["issuer"] == issuer
    assert server["grant_types_supported"] == [JWT_BEARER]
    assert server["agent_auth"]["identity_endpoint"] == f"{root}/v1/agent/identity"
    keys = KeySet.import_key_set(asking.get(server["jwks_uri"]).json())
    for token in (agent.assertion, agent.token):
        claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
        assert (claims["iss"], claims["aud"]) == (issuer, f"{root}/")
    guide = asking.get(server["agent_auth"]["skill"])
    assert guide.headers["content-type"].startswith("text/markdown")
    assert f"POST {root}/v1/agent/identity" in guide.text


def test_the_names_of_loopback_are_one(root: str, agent: Agent) -> None:
    other = root.replace("localhost", "127.0.0.1")
    found = asking.get(f"{other}/.well-known/oauth-protected-resource").json()
    assert found["resource"] == f"{root}/"
    assert agent.exchange(resource=f"{other}/").status_code == 200
    headers = {"Authorization": f"Bearer {agent.token}"}
    path = f"/v1/projects/{agent.id}/credentials"
    assert asking.get(f"{other}{path}", headers=headers).status_code == 200


def test_registering_gives_a_database(agent: Agent) -> None:
    project = agent.registration["project"]
    expires = datetime.fromisoformat(project["expires_at"])
    assert agent.registration["assertion_expires"] == int(expires.timestamp())
    assert agent.registration["scopes"] == ["postgres.read", "postgres.write"]
    credentials = agent.ok("GET", "/credentials")
    assert credentials["project_id"] == agent.id
    assert credentials["branch_id"] == agent.branch
    assert credentials["expires_at"] == project["expires_at"]
    assert credentials["services"] == {}
    assert ask(credentials["database_url"], "SELECT 1") == 1


def test_a_decision_for_each_capability(root: str) -> None:
    agent = Agent(root, "auth", "data_api", "storage", "functions", "ai_gateway", "teleport")
    decisions = {one["capability"]: one for one in agent.registration["capabilities"]}
    assert next(iter(decisions)) == "postgres"
    assert decisions.pop("postgres")["granted"] is True
    assert {name: one["reason"] for name, one in decisions.items()} == {
        "data_api": "not_available",
        "auth": "not_available",
        "storage": "requires_claim",
        "functions": "requires_claim",
        "ai_gateway": "requires_claim",
        "teleport": "unknown_capability",
    }
    assert all(one["message"] and not one["granted"] for one in decisions.values())


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "nonsense",
        '{"type": "human"}',
        '{"type": "anonymous", "capabilities": "postgres"}',
        '{"type": "anonymous", "capabilities": [7]}',
        '{"type": "anonymous", "source": ""}',
        '{"type": "anonymous", "extra": 1}',
        '{"type": "anonymous", "source": "\\ud800"}',
        '{"type": "anonymous", "source": "\ud800"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_registration(root: str, body: str) -> None:
    content = body.encode("utf-8", "surrogatepass")
    answer = asking.post(f"{root}/v1/agent/identity", content=content)
    assert (answer.status_code, error(answer)) == (400, "invalid_request")


def test_what_is_no_exchange(root: str, agent: Agent) -> None:
    url = f"{root}/v1/oauth2/token"
    good = {"grant_type": JWT_BEARER, "assertion": agent.assertion}
    for form in ({}, {"assertion": agent.assertion}, {**good, "grant_type": "password"}):
        assert error(asking.post(url, data=form)) == "invalid_request"
    assert error(asking.post(url, data={"grant_type": JWT_BEARER})) == "invalid_request"
    assert error(asking.post(url, content=b"\xff=\xff&%zz")) == "invalid_request"
    twice = [("grant_type", JWT_BEARER), ("assertion", "a"), ("assertion", agent.assertion)]
    answer = asking.post(url, content=urlencode(twice))
    assert error(answer) == "invalid_request"
    for assertion in ("nonsense", agent.token, agent.assertion[:-2], "a.b.c"):
        answer = agent.exchange(assertion)
        assert (answer.status_code, error(answer)) == (400, "invalid_grant")
    # The assertion is good: no answer may tell the client to throw it away.
    assert error(agent.exchange(resource="https://elsewhere.example/")) == "invalid_target"


def test_access_tokens_last_for_900_seconds(agent: Agent, later: Later) -> None:
    answer = agent.exchange().json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 900)
    assert answer["scope"] == "postgres.read postgres.write"
    later(seconds=840)
    agent.ok("GET", "/credentials")
    later(seconds=901)
    refused = agent.ask("GET", "/credentials")
    assert (refused.status_code, error(refused)) == (401, "token_expired")
    assert refused.json()["error"]["retryable"] is True
    agent.token = agent.new_token()
    agent.ok("GET", "/credentials")


def test_an_access_token_can_be_revoked_alone(agent: Agent) -> None:
    first, agent.token = agent.token, agent.new_token()
    agent.revoke(first)
    agent.revoke(first)
    agent.revoke("nonsense")
    assert error(agent.ask("GET", "/credentials", token=first)) == "unauthorized"
    agent.ok("GET", "/credentials")
    assert agent.exchange().status_code == 200


def test_with_an_assertion_its_tokens_and_its_code_die(
    agent: Agent, new_person: Callable[[], Person]
) -> None:
    url, code = agent.url(), agent.code()
    agent.revoke(agent.assertion)
    assert error(agent.ask("GET", "/credentials")) == "unauthorized"
    assert error(agent.exchange()) == "invalid_grant"
    assert new_person().look(code).status_code == 404
    assert ask(url, "SELECT 1") == 1  # the project lives on until it expires


def test_tokens_are_for_one_project_and_one_api(agent: Agent, root: str, api: Api) -> None:
    other = Agent(root)
    for path in ("", "/credentials", "/claim", "/branches", "/connection_uri"):
        answer = agent.ask("GET", path, token=other.token)
        assert (answer.status_code, error(answer)) == (403, "route_not_allowed")
    assert agent.ask("POST", "/claim", token=other.token).status_code == 403
    assert agent.ask("DELETE", "", token=other.token).status_code == 403
    branch = f"/branches/{agent.branch}"
    headers = {"Authorization": f"Bearer {other.token}"}
    inside = asking.get(f"{root}/v1/projects/{other.id}{branch}/roles", headers=headers)
    assert (inside.status_code, error(inside)) == (404, "not_found")
    # Neon API v2 knows neither token, and this API neither a key nor an assertion.
    for token in (agent.token, agent.assertion):
        assert api.as_key(token).refused("GET", "/users/me")[0] == 401
    for token in (api.key, agent.assertion):
        assert error(agent.ask("GET", "/credentials", token=token)) == "unauthorized"


def test_no_operation_reaches_another_project(agent: Agent, root: str) -> None:
    other = Agent(root)
    (endpoint,) = other.ok("GET", "/endpoints")["endpoints"]
    operation = other.ok("GET", "/operations")["operations"][0]
    theirs = {
        "project_id": other.id,
        "branch_id": other.branch,
        "endpoint_id": endpoint["id"],
        "operation_id": operation["id"],
        "database_name": "neondb",
        "role_name": "neondb_owner",
    }
    bodies = {
        "updateProjectBranch": {"branch": {"name": "mine"}},
        "updateProjectEndpoint": {"endpoint": {"suspend_timeout_seconds": 60}},
        "createProjectBranchDatabase": {"database": {"name": "x", "owner_name": "neondb_owner"}},
        "createProjectBranchRole": {"role": {"name": "x"}},
    }
    headers = {"Authorization": f"Bearer {agent.token}"}
    query = {"role_name": "neondb_owner", "database_name": "neondb", "branch_id": other.branch}
    query["db_name"] = "neondb"
    for one in proxy.operations():
        paths = [one.path.format(**theirs)]
        if one.path.count("{") > 1 or one.id == "getConnectionURI":
            paths.append(one.path.format(**theirs | {"project_id": agent.id}))
        for path in paths:
            answer = asking.request(
                one.method,
                f"{root}/v1{path}",
                headers=headers,
                params=query,
                json=bodies.get(one.id),
                timeout=60,
            )
            refusals = {(403, "route_not_allowed"), (404, "not_found")}
            assert (answer.status_code, error(answer)) in refusals, (one.id, path)
    assert other.ok("GET", f"/branches/{other.branch}")["branch"]["name"] == "main"


def test_nobody_sees_whom_unclaimed_projects_belong_to(agent: Agent, api: Api) -> None:
    shown = agent.ok("GET", "")["project"]
    assert shown["id"] == agent.id
    assert shown["settings"]["quota"]["logical_size_bytes"] == 104_857_600
    assert not {"org_id", "owner", "owner_id"} & set(shown)
    assert api.refused("GET", f"/projects/{agent.id}")[0] == 404
    listed = api.ok("GET", "/projects", limit=400)["projects"]
    assert agent.id not in [one["id"] for one in listed]
    for organization in api.ok("GET", "/users/me/organizations")["organizations"]:
        assert "unclaimed" not in organization["id"]


def test_some_operations_of_its_project_are_let_through(agent: Agent) -> None:
    branch = f"/branches/{agent.branch}"
    assert [one["id"] for one in agent.ok("GET", "/branches")["branches"]] == [agent.branch]
    (endpoint,) = agent.ok("GET", "/endpoints")["endpoints"]
    assert agent.ok("GET", f"{branch}/endpoints")["endpoints"] == [endpoint]
    assert agent.ok("GET", "/operations")["operations"]
    agent.ok("PATCH", branch, {"branch": {"name": "trunk"}})
    assert agent.ok("GET", branch)["branch"]["name"] == "trunk"
    agent.ok("PATCH", f"/endpoints/{endpoint['id']}", {"endpoint": {"suspend_timeout_seconds": 60}})
    agent.ok("POST", f"{branch}/roles", {"role": {"name": "reader"}})
    body = {"database": {"name": "extra", "owner_name": "reader"}}
    agent.ok("POST", f"{branch}/databases", body)
    names = {"role_name": "reader", "database_name": "extra"}
    for pooled in ("true", "false"):
        uri = agent.ok("GET", "/connection_uri", **names, pooled=pooled)["uri"]
        assert ask(uri, "SELECT current_user") == "reader"
    agent.ok("DELETE", f"{branch}/databases/extra")
    assert agent.ok("GET", f"{branch}/roles/reader/reveal_password")["password"]
    agent.ok("DELETE", f"{branch}/roles/reader")


def test_everything_else_is_not(agent: Agent) -> None:
    branch = f"/branches/{agent.branch}"
    (endpoint,) = agent.ok("GET", "/endpoints")["endpoints"]
    refused: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"project": {"settings": {"quota": {}}}}),
        ("PUT", "", {}),
        ("POST", "/branches", {"branch": {"name": "dev"}}),
        ("DELETE", branch, None),
        ("POST", f"{branch}/restore", {}),
        ("POST", f"{branch}/set_as_default", None),
        ("POST", "/transfer_requests", {}),
        ("GET", "/permissions", None),
        ("POST", "/permissions", {"email": "eve@example.com"}),
        ("GET", "/no/such/thing", None),
        ("GET", "/../../users/me", None),
        ("PATCH", "/credentials", {}),
    ]
    for method, path, body in refused:
        answer = agent.ask(method, path, body)
        refusals = {(403, "route_not_allowed"), (404, "not_found")}
        assert (answer.status_code, error(answer)) in refusals, (method, path)
    changes: list[tuple[str, Any]] = [
        (branch, {"branch": {"protected": True}}),
        (branch, {"branch": {"expires_at": "2999-01-01T00:00:00Z"}}),
        (f"/endpoints/{endpoint['id']}", {"endpoint": {"branch_id": "br-a-b-12345678"}}),
        (branch, "nonsense"),
    ]
    for path, body in changes:
        assert error(agent.ask("PATCH", path, body)) == "invalid_request"
    for service in ("functions", "triggers", "buckets", "storage", "ai_gateway", "credentials"):
        answer = agent.ask("GET", f"{branch}/{service}")
        assert (answer.status_code, error(answer)) == (403, "capability_requires_claim"), service
    for service, name in (("auth", "Neon Auth"), ("data-api/neondb", "Data API")):
        denied = agent.ask("POST", f"{branch}/{service}", {})
        assert error(denied) == "scope_insufficient"
        assert f"this local Neon has no {name}" in denied.json()["error"]["message"]
        off = agent.ask("GET", f"{branch}/{service}")
        assert (off.status_code, error(off)) == (404, "not_found")
    wrong = agent.ask("GET", "/connection_uri", role_name="nobody", database_name="neondb")
    assert (wrong.status_code, wrong.json()["error"]["origin"]) == (404, "upstream")


def test_every_refusal_has_its_code_and_where_it_comes_from(
    agent: Agent,
    root: str,
    new_person: Callable[[], Person],
    neon_server_here: NeonServer,
    later: Later,
) -> None:
    person, branch = new_person(), f"/branches/{agent.branch}"
    answers = {
        "invalid_request": asking.post(f"{root}/v1/agent/identity", json={"type": "human"}),
        "invalid_grant": agent.exchange("nonsense"),
        "unauthorized": agent.ask("GET", "/credentials", token="nonsense"),
        "scope_insufficient": agent.ask("POST", f"{branch}/auth", {}),
        "capability_requires_claim": agent.ask("GET", f"{branch}/functions"),
    }
    with neon_server_here.neon.journal.locked(agent.id):
        answers["upstream_error"] = agent.ask("PATCH", branch, {"branch": {"name": "trunk"}})
    expired = Agent(root)
    console = person.proceed(person.look(agent.code()))
    agent.renew()
    answers["claim_in_progress"] = agent.ask("POST", "/claim")
    person.take(console)
    answers["project_claimed"] = agent.exchange()
    later(minutes=20)
    answers["token_expired"] = expired.ask("GET", "/credentials")
    later(hours=73)
    answers["project_expired"] = expired.exchange()
    shown = {name: answer.json()["error"] for name, answer in answers.items()}
    assert {name: error(answer) for name, answer in answers.items()} == {n: n for n in answers}
    origins = {name: one["origin"] for name, one in shown.items()}
    assert origins.pop("upstream_error") == "upstream" and {*origins.values()} == {"proxy"}
    assert shown["upstream_error"]["upstream_status"] == 423
    retryable = {name for name, one in shown.items() if one["retryable"]}
    assert retryable == {"upstream_error", "token_expired"}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "invalid_request": 400,
        "invalid_grant": 400,
        "unauthorized": 401,
        "scope_insufficient": 403,
        "capability_requires_claim": 403,
        "upstream_error": 423,
        "claim_in_progress": 409,
        "project_claimed": 409,
        "token_expired": 401,
        "project_expired": 410,
    }


def test_nothing_is_let_through_without_a_token(agent: Agent, root: str) -> None:
    for path in ("", "/branches", "/credentials", "/no/such/thing"):
        answer = asking.get(f"{root}/v1/projects/{agent.id}{path}")
        assert (answer.status_code, error(answer)) == (401, "unauthorized")
    assert error(asking.get(f"{root}/v1/users/me")) == "not_found"


def test_a_project_can_be_given_back(agent: Agent, neon_server_here: NeonServer) -> None:
    url = agent.url()
    answer = agent.ask("DELETE", "")
    assert (answer.status_code, answer.content) == (204, b"")
    assert neon_server_here.neon.store.get(Project, agent.id) is None
    assert error(agent.ask("GET", "/credentials")) == "invalid_grant"
    assert error(agent.exchange()) == "invalid_grant"
    with pytest.raises(psycopg.OperationalError):
        ask(url, "SELECT 1")


def test_after_72_hours_project_and_tokens_are_gone(
    agent: Agent, neon_server_here: NeonServer, later: Later
) -> None:
    url, neon = agent.url(), neon_server_here.neon
    later(hours=72, minutes=-5, tidy=True)
    agent.token = agent.new_token()
    agent.ok("GET", "/credentials")
    assert agent.exchange().json()["expires_in"] <= 300  # no token outlives the project
    later(hours=72, minutes=1)
    for answer in (agent.ask("GET", "/credentials"), agent.exchange()):
        assert error(answer) in ("project_expired", "token_expired")
    assert error(agent.exchange()) == "project_expired"
    later(hours=72, minutes=1, tidy=True)
    assert neon.store.get(Project, agent.id) is None
    assert error(agent.exchange()) == "project_expired"
    with pytest.raises(psycopg.OperationalError):
        ask(url, "SELECT 1")
    later(days=40, tidy=True)
    assert neon.store.get(AgentRegistration, agent.registration["registration_id"]) is None


def test_secrets_are_neither_kept_nor_logged(
    root: str, neon_server_here: NeonServer, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "neonup_local")
    caplog.set_level("DEBUG", "uvicorn")
    agent = Agent(root)
    code = agent.code()
    agent.revoke(agent.token)
    folder = neon_server_here.neon.authority.path.parent.parent
    kept = "".join(one.read_text("latin-1") for one in folder.glob("neon.db*"))
    assert agent.id in kept
    for secret in (agent.assertion, agent.token, code, code.replace("-", "")):
        assert secret not in kept
    shown = api.control("GET", "/requests").text + caplog.text
    for secret in (agent.assertion, agent.token, code):
        assert secret not in shown
