"""Two changes of one row at once, for every kind of row that the store has.

One change goes through the service: when it is about to write, another connection changes a field
of the same row, or deletes the row. Both fields are new then, and what was deleted stays away.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

import neonup_emulator.neon
from neonup_emulator.neon import (
    branches,
    databases,
    endpoints,
    permissions,
    project_members,
    projects,
    roles,
    snapshots,
)
from neonup_emulator.neon.accounts import model as accounts
from neonup_emulator.neon.accounts import sessions
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.project_access import Level
from neonup_emulator.neon.changes import project_creation, snapshot_creation
from neonup_emulator.neon.changes.project_creation import ProjectWithDefaults
from neonup_emulator.neon.claimable import agent_tokens, agents, claim_codes, neon_new
from neonup_emulator.neon.claimable import model as claimable
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.errors import Refused
from neonup_emulator.neon.model import (
    Branch,
    BranchDatabase,
    Endpoint,
    Operation,
    Permission,
    Project,
    ProjectGrant,
    Role,
    Snapshot,
)
from neonup_emulator.neon.oauth import clients as oauth_clients
from neonup_emulator.neon.oauth import model as oauth
from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.requests.branches import BranchChanges
from neonup_emulator.neon.requests.contents import DatabaseChanges, NewRole
from neonup_emulator.neon.requests.endpoints import EndpointChanges
from neonup_emulator.neon.requests.projects import NewProject, ProjectChanges
from neonup_emulator.neon.requests.snapshots import SnapshotChanges
from neonup_emulator.neon.state.change import Completion, PlannedOperation, SimpleChange
from neonup_emulator.neon.state.row import Row
from neonup_emulator.neon.state.store import KINDS
from neonup_emulator.neon.transfer import model as transfer
from neonup_emulator.neon.transfer import transfer_requests
from tests.conftest import remove_home, warm_home
from tests.emulator.two_at_once import deleting, meanwhile, setting

_NUMBERS = count()
LATER = "2031-02-03T04:05:06Z"


@pytest.fixture(scope="module")
def neon(warm_parts: Path) -> Iterator[LocalNeon]:
    """A local Neon without HTTP, and without upkeep, which would write as well."""
    home = warm_home(warm_parts)
    neon = LocalNeon(home, patience=60)
    neon.start()
    neon.identity.default()
    yield neon
    neon.stop()
    remove_home(home)


@dataclass(frozen=True)
class Case:
    """A change of a row.

    Args:
        row: which one.
        change: what the service does with it.
        field: what that changes; None: it deletes the row, or adds one like it.
        other: another field, and what it becomes at the same time.
        also: what goes with the row's deletion.
    """

    row: Row
    change: Callable[[], object]
    field: str | None = None
    other: tuple[str, Any] = ("created_at", LATER)
    also: Callable[[], object] = tuple


def new_project(neon: LocalNeon) -> ProjectWithDefaults:
    caller = neon.identity.caller(neon.identity.default()[0])
    return project_creation.create(neon, caller, NewProject(name="shop"))


def new_person(neon: LocalNeon) -> tuple[accounts.User, accounts.Organization, Caller]:
    user, own = neon.people.create_user(f"somebody-{next(_NUMBERS)}@example.com")
    _, secret = neon.identity.create_key(user, "own")
    return user, own, neon.identity.caller(secret)


def user(neon: LocalNeon) -> Case:
    email = f"twin-{next(_NUMBERS)}@example.com"
    row, _ = neon.people.create_user(email)
    return Case(row, lambda: neon.people.create_user(email.upper()))


def organization(neon: LocalNeon) -> Case:
    _, row, _ = new_person(neon)
    change = lambda: neon.people.set_spending_limit(row.id, 700)  # noqa: E731
    return Case(row, change, "spending_limit_cents", ("name", "Renamed"))


def member(neon: LocalNeon) -> Case:
    _, own, _ = new_person(neon)
    mate, _, _ = new_person(neon)
    row = neon.people.join(own.id, mate, "viewer")
    change = lambda: neon.people.change_role(row, "editor")  # noqa: E731
    return Case(row, change, "role", ("joined_at", LATER))


def invitation(neon: LocalNeon) -> Case:
    inviter, own, _ = new_person(neon)
    email = f"invited-{next(_NUMBERS)}@example.com"
    row = neon.people.invite(own.id, email, "editor", inviter)
    change = lambda: neon.people.create_user(email)  # noqa: E731
    return Case(row, change, "accepted_at", ("invited_at", LATER))


def session(neon: LocalNeon) -> Case:
    somebody, _, _ = new_person(neon)
    before = {one.id for one in neon.store.all(accounts.WebSession)}
    secret = sessions.begin(neon, somebody)
    [row] = [one for one in neon.store.all(accounts.WebSession) if one.id not in before]
    return Case(row, lambda: sessions.end(neon, secret))


def api_key(neon: LocalNeon) -> Case:
    somebody, _, _ = new_person(neon)
    row, secret = neon.identity.create_key(somebody, "used")
    change = lambda: neon.identity.caller(secret)  # noqa: E731
    return Case(row, change, "last_used_at", ("name", "renamed"))


def project(neon: LocalNeon) -> Case:
    row = new_project(neon).project
    change = lambda: projects.update(neon, row, ProjectChanges(name="renamed"))  # noqa: E731
    return Case(row, change, "name", ("region_id", "elsewhere"))


def branch(neon: LocalNeon) -> Case:
    made = new_project(neon)
    changes = BranchChanges(name="renamed")
    change = lambda: branches.update(neon, made.project, made.branch, changes)  # noqa: E731
    return Case(made.branch, change, "name", ("annotation", {"colour": "blue"}))


def endpoint(neon: LocalNeon) -> Case:
    made = new_project(neon)
    changes = EndpointChanges(name="renamed")
    change = lambda: endpoints.update(neon, made.project, made.endpoint, changes)  # noqa: E731
    return Case(made.endpoint, change, "name", ("suspend_timeout_seconds", 77))


def role(neon: LocalNeon) -> Case:
    made = new_project(neon)
    change = lambda: roles.reset_password(  # noqa: E731
        neon, made.project, made.branch, made.role.name
    )
    return Case(made.role, change, "verifier")


def database(neon: LocalNeon) -> Case:
    made = new_project(neon)
    roles.create(neon, made.project, made.branch, NewRole(name="other"))
    row = databases.find(neon, made.branch, made.database.name)
    changes = DatabaseChanges(owner_name="other")
    change = lambda: databases.update(neon, made.project, made.branch, row.name, changes)  # noqa: E731
    address = neon.computes.address(made.branch.cluster_id)

    def drop() -> None:
        with psycopg.connect(**address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {row.name}")

    return Case(row, change, "owner_name", also=drop)


def cluster(neon: LocalNeon) -> Case:
    made = new_project(neon)
    neon.computes.start(made.branch)
    row = neon.store.get(Cluster, made.branch.cluster_id)
    assert row is not None
    change = lambda: neon.computes.suspend(made.branch)  # noqa: E731
    return Case(row, change, "state", ("engine", "another"))


def operation(neon: LocalNeon) -> Case:
    made = new_project(neon)
    begun, go_on = threading.Event(), threading.Event()

    def work() -> Completion:
        begun.set()
        assert go_on.wait(60)
        return Completion()

    planned = [PlannedOperation("apply_config", made.branch.id)]
    arguments = [made.project, planned, SimpleChange(work)]
    thread = threading.Thread(target=neon.journal.run, args=arguments)
    thread.start()
    assert begun.wait(60)
    [row] = [one for one in neon.store.all(Operation) if one.status == "running"]

    def finish() -> None:
        go_on.set()
        thread.join(60)

    return Case(row, finish, "status")


def project_grant(neon: LocalNeon) -> Case:
    caller = neon.identity.caller(neon.identity.default()[0])
    project = new_project(neon).project
    mate, _, _ = new_person(neon)
    member = neon.people.join(project.org_id, mate, "viewer")

    def give(level: Level) -> None:
        project_members.set_role(neon, caller, project, member.id, level, confirmed=False)

    give(Level.EDITOR)
    (row,) = neon.store.all(ProjectGrant, project_id=project.id)
    return Case(row, lambda: give(Level.ADMIN))


def permission(neon: LocalNeon) -> Case:
    made = new_project(neon)
    row = permissions.grant(neon, made.project, "friend@example.com")
    return Case(row, lambda: permissions.revoke(neon, made.project, row.id))


def snapshot(neon: LocalNeon) -> Case:
    made = new_project(neon)
    moment: dict[str, Any] = {"time": None, "lsn": None, "expires_at": None}
    row, _ = snapshot_creation.create(neon, made.project, made.branch, name="first", **moment)
    changes = SnapshotChanges(name="renamed")
    change = lambda: snapshots.update(neon, made.project, row, changes)  # noqa: E731
    return Case(row, change, "name", ("size", 12345))


def transfer_request(neon: LocalNeon) -> Case:
    made = new_project(neon)
    owner = neon.identity.caller(neon.identity.default()[0])
    until = neon.clock.now() + timedelta(minutes=10)
    secret, row = transfer_requests.create(neon, owner, made.project, until)
    _, _, taker = new_person(neon)
    change = lambda: transfer_requests.accept(neon, taker, made.project.id, secret)  # noqa: E731
    return Case(row, change, "used_at")


def agent_registration(neon: LocalNeon) -> Case:
    made = agents.register(neon, [], "tests", "http://localhost:1")
    change = lambda: agent_tokens.revoke(neon, made.assertion)  # noqa: E731
    return Case(made.registration, change, "revoked_at", ("source", "renamed"))


def claim_code(neon: LocalNeon) -> Case:
    registration = agents.register(neon, [], "tests", "http://localhost:1").registration
    row = claim_codes.issue(neon, registration).row
    return Case(row, lambda: claim_codes.cancel(neon, registration), "state")


def revoked_token(neon: LocalNeon) -> Case:
    made = agents.register(neon, [], "tests", "http://localhost:1")
    token = agent_tokens.exchange(neon, made.assertion, "http://localhost:1").token
    agent_tokens.revoke(neon, token)
    row = neon.store.get(claimable.RevokedToken, agent_tokens.digest(token))
    assert row is not None
    return Case(row, lambda: forget_tokens(neon))


def forget_tokens(neon: LocalNeon) -> None:
    """What the upkeep does with revoked tokens whose time is over."""
    neon.clock.ahead = timedelta(hours=1)
    try:
        agents.expire(neon)
    finally:
        neon.clock.ahead = timedelta()


def oauth_client(neon: LocalNeon) -> Case:
    row, _ = oauth_clients.register(neon, "App", ["https://app.example.com/back"])
    return Case(row, lambda: oauth_clients.remove(neon, row.id))


def granted(neon: LocalNeon) -> tuple[oauth.OAuthGrant, str]:
    somebody, _, _ = new_person(neon)
    code = oauth_tokens.new_code()
    grant = oauth_tokens.grant(
        neon,
        somebody,
        code,
        client_id=oauth_clients.OFFICIAL.id,
        redirect_uri="http://127.0.0.1/callback",
        redirect_uri_sent=True,
        scope="openid offline",
        nonce=None,
        challenge=None,
    )
    return grant, code


def oauth_grant(neon: LocalNeon) -> Case:
    row, _ = granted(neon)
    return Case(row, lambda: oauth_tokens.revoke(neon, row.id))


def oauth_code(neon: LocalNeon) -> Case:
    grant, code = granted(neon)
    [row] = [one for one in neon.store.all(oauth.OAuthCode) if one.grant_id == grant.id]
    change = lambda: oauth_tokens.take_code(neon, code, row.client_id)  # noqa: E731
    return Case(row, change, "used", ("nonce", "another"))


def oauth_token(neon: LocalNeon) -> Case:
    grant, _ = granted(neon)
    access, refresh = oauth_tokens.new_access_token(), oauth_tokens.new_refresh_token()
    oauth_tokens.issue(neon, grant, access=access, scope="openid", refresh=refresh)
    row = oauth_tokens.find(neon, refresh)
    assert row is not None
    return Case(row, lambda: oauth_tokens.use_up(neon, row), "used", ("scope", "openid"))


def claimable_database(neon: LocalNeon) -> Case:
    row = neon_new.create(neon)
    somebody, own, _ = new_person(neon)
    change = lambda: neon_new.claim(neon, row.id, somebody, own.id)  # noqa: E731
    return Case(row, change, "state")


CASES: dict[type[Row], Callable[[LocalNeon], Case]] = {
    accounts.User: user,
    accounts.Organization: organization,
    accounts.Member: member,
    accounts.Invitation: invitation,
    accounts.WebSession: session,
    accounts.ApiKey: api_key,
    Project: project,
    Branch: branch,
    Endpoint: endpoint,
    Role: role,
    BranchDatabase: database,
    Cluster: cluster,
    Operation: operation,
    Permission: permission,
    ProjectGrant: project_grant,
    Snapshot: snapshot,
    transfer.TransferRequest: transfer_request,
    claimable.AgentRegistration: agent_registration,
    claimable.ClaimCode: claim_code,
    claimable.RevokedToken: revoked_token,
    oauth.OAuthClient: oauth_client,
    oauth.OAuthGrant: oauth_grant,
    oauth.OAuthCode: oauth_code,
    oauth.OAuthToken: oauth_token,
    claimable.ClaimableDatabase: claimable_database,
}
NEVER_CHANGED = {
    accounts.User,
    accounts.WebSession,
    Permission,
    ProjectGrant,
    claimable.RevokedToken,
    oauth.OAuthClient,
    oauth.OAuthGrant,
}
"""Kinds whose rows are only inserted and deleted."""

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
changed_kinds = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind not in NEVER_CHANGED], ids=lambda kind: kind.__name__
)


def test_every_kind_has_a_case() -> None:
    assert set(CASES) == set(KINDS)
    sources = Path(neonup_emulator.neon.__file__).parent.parent.rglob("*.py")
    texts = [path.read_text(encoding="utf-8") for path in sources]
    changed = {name for text in texts for name in re.findall(r"\.update\(\s*([A-Z]\w+),", text)}
    assert {kind.__name__ for kind in KINDS} - changed == {kind.__name__ for kind in NEVER_CHANGED}


@changed_kinds
def test_of_two_changes_at_once_both_survive(neon: LocalNeon, kind: type[Row]) -> None:
    case = CASES[kind](neon)
    assert isinstance(case.row, kind)
    assert case.field is not None
    field, value = case.other
    raised = meanwhile(neon, case.change, setting(case.row, field, value))
    assert raised is None
    row = neon.store.get(kind, case.row.id)
    assert row is not None
    assert getattr(row, case.field) != getattr(case.row, case.field)
    told = getattr(row, field)
    assert (told.isoformat().replace("+00:00", "Z") if field.endswith("_at") else told) == value


@every_kind
def test_what_is_deleted_at_once_stays_deleted(neon: LocalNeon, kind: type[Row]) -> None:
    case = CASES[kind](neon)

    def delete(other: sqlite3.Connection) -> None:
        deleting(case.row)(other)
        case.also()

    raised = meanwhile(neon, case.change, delete)
    assert raised is None or isinstance(raised, Refused), raised
    assert neon.store.get(kind, case.row.id) is None


def test_two_users_of_one_address_cannot_be(neon: LocalNeon) -> None:
    email = f"twins-{uuid.uuid4()}@example.com"
    raised = meanwhile(
        neon,
        lambda: neon.people.create_user(email),
        lambda other: other.execute(
            "INSERT INTO User (id, body) SELECT 'twin-' || ?, "
            "json_set(body, '$.id', 'twin-' || ?, '$.email', upper(?)) FROM User LIMIT 1",
            (email, email, email),
        ),
    )
    assert isinstance(raised, Refused)
    assert [one.id for one in neon.people.users() if one.email.lower() == email] == [
        f"twin-{email}"
    ]
