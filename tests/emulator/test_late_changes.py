"""What was true when a change was asked for, and is not any more when it is carried out."""

from __future__ import annotations

import sqlite3
import threading
from itertools import count
from typing import Any

import msgspec
import psycopg
import pytest

from neonup_emulator.neon import (
    branches,
    endpoints,
    projects,
    roles,
    snapshots,
)
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import ApiKey, Organization, User
from neonup_emulator.neon.changes import (
    branch_creation,
    branch_restoration,
    project_creation,
    snapshot_creation,
    snapshot_restoration,
)
from neonup_emulator.neon.changes.project_creation import ProjectWithDefaults
from neonup_emulator.neon.claimable import agent_claims, agent_tokens, agents, neon_new
from neonup_emulator.neon.claimable.claim_codes import WrongCode
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.data.model import Cluster
from neonup_emulator.neon.errors import Conflict, Forbidden, Locked, NotFound, Unprocessable
from neonup_emulator.neon.model import Branch, Endpoint, Project, Role, Snapshot
from neonup_emulator.neon.requests.branches import (
    BranchChanges,
    CreateBranch,
    NewBranch,
    RestoreBranch,
)
from neonup_emulator.neon.requests.contents import NewRole
from neonup_emulator.neon.requests.endpoints import EndpointChanges, NewEndpoint
from neonup_emulator.neon.requests.projects import NewProject, ProjectChanges, ProjectSettings
from neonup_emulator.neon.requests.snapshots import RestoreSnapshot
from neonup_emulator.neon.state import store
from tests.emulator.api import Api
from tests.emulator.serving import NeonServer
from tests.emulator.two_at_once import deleting, meanwhile, setting
from tests.waiting import wait_until

Person = tuple[User, Organization]
_NUMBERS = count()


@pytest.fixture
def neon(neon_server_here: NeonServer) -> LocalNeon:
    return neon_server_here.neon


@pytest.fixture
def made(neon: LocalNeon) -> ProjectWithDefaults:
    return project_creation.create(neon, default_caller(neon), NewProject(name="shop"))


@pytest.fixture
def dev(neon: LocalNeon, made: ProjectWithDefaults) -> Branch:
    return create_branch(neon, made, "dev")


@pytest.fixture
def somebody(neon: LocalNeon) -> Person:
    return neon.people.create_user(f"late-{next(_NUMBERS)}@example.com")


def default_caller(neon: LocalNeon) -> Caller:
    return neon.identity.caller(neon.identity.default()[0])


def create_branch(neon: LocalNeon, made: ProjectWithDefaults, name: str) -> Branch:
    wanted = CreateBranch(branch=NewBranch(name=name))
    return branch_creation.create(neon, made.project, wanted)[0]


def present(neon: LocalNeon, made: ProjectWithDefaults) -> Project:
    row = neon.store.get(Project, made.project.id)
    assert row is not None
    return row


def names(neon: LocalNeon, made: ProjectWithDefaults) -> list[str]:
    return [one.name for one in neon.store.all(Branch, project_id=made.project.id)]


def test_a_late_change_does_not_bring_a_deleted_project_back(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    changes = ProjectChanges(name="renamed")
    raised = meanwhile(
        neon,
        lambda: projects.update(neon, made.project, changes),
        setting(made.project, "deleted_at", "2026-01-01T00:00:00Z"),
    )
    assert isinstance(raised, NotFound)
    assert present(neon, made).deleted_at is not None
    assert present(neon, made).name == "shop"


def test_settings_are_merged_with_those_that_came_meanwhile(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    quota = {"written_data_bytes": 10**9}
    changes = ProjectChanges(settings=ProjectSettings(enable_logical_replication=True))
    raised = meanwhile(
        neon,
        lambda: projects.update(neon, made.project, changes),
        setting(made.project, "settings", {"quota": quota}),
    )
    assert raised is None
    assert present(neon, made).settings == {"quota": quota, "enable_logical_replication": True}


def test_a_project_of_which_a_branch_was_protected_meanwhile_is_not_deleted(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    raised = meanwhile(
        neon,
        lambda: projects.delete(neon, made.project),
        setting(made.branch, "protected", True),
    )
    assert isinstance(raised, Unprocessable)
    assert present(neon, made).deleted_at is None


def test_a_project_is_purged_only_if_it_is_still_deleted(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    projects.delete(neon, made.project)
    deleted = present(neon, made)
    raised = meanwhile(
        neon,
        lambda: neon.journal.alone(deleted, deleted=True).__enter__(),
        setting(deleted, "deleted_at", None),
    )
    assert isinstance(raised, NotFound)
    assert neon.store.get(Branch, made.branch.id) is not None


@pytest.mark.parametrize("change", ["update", "suspend", "restart", "delete"])
def test_a_deleted_endpoint_stays_deleted(
    neon: LocalNeon, made: ProjectWithDefaults, change: str
) -> None:
    row = made.endpoint
    changes = {
        "update": lambda: endpoints.update(
            neon, made.project, row, EndpointChanges(suspend_timeout_seconds=60)
        ),
        "suspend": lambda: endpoints.suspend(neon, made.project, row),
        "restart": lambda: endpoints.restart(neon, made.project, row),
        "delete": lambda: endpoints.delete(neon, made.project, row),
    }
    raised = meanwhile(neon, changes[change], deleting(row))
    assert isinstance(raised, NotFound)
    assert neon.store.all(Endpoint, branch_id=made.branch.id) == []


def test_a_change_of_an_endpoint_says_when(neon: LocalNeon, made: ProjectWithDefaults) -> None:
    changes = EndpointChanges(suspend_timeout_seconds=60)
    changed, _ = endpoints.update(neon, made.project, made.endpoint, changes)
    assert changed.updated_at > made.endpoint.updated_at
    assert changed.suspend_timeout_seconds == 60


def test_a_branch_has_one_endpoint_that_writes(
    neon: LocalNeon, made: ProjectWithDefaults, dev: Branch
) -> None:
    """The other one came while its address was looked for."""
    wanted = NewEndpoint(branch_id=dev.id, type="read_write")
    raised = meanwhile(
        neon,
        lambda: endpoints.create(neon, made.project, dev, wanted),
        lambda other: other.execute(
            "UPDATE Endpoint SET branch_id = ?, body = json_set(body, '$.branch_id', ?) "
            "WHERE id = ?",
            (dev.id, dev.id, made.endpoint.id),
        ),
    )
    assert isinstance(raised, Unprocessable)
    assert [one.id for one in neon.store.all(Endpoint, branch_id=dev.id)] == [made.endpoint.id]


def test_two_branches_of_one_name_cannot_be(
    neon: LocalNeon, made: ProjectWithDefaults, dev: Branch
) -> None:
    before = {one.id for one in neon.store.all(Cluster, project_id=made.project.id)}
    raised = meanwhile(
        neon, lambda: create_branch(neon, made, "next"), setting(dev, "name", "next")
    )
    assert isinstance(raised, Conflict)
    assert sorted(names(neon, made)) == ["main", "next"]
    assert {one.id for one in neon.store.all(Cluster, project_id=made.project.id)} == before


def test_a_branch_is_not_renamed_to_what_another_is_called_meanwhile(
    neon: LocalNeon, made: ProjectWithDefaults, dev: Branch
) -> None:
    changes = BranchChanges(name="next")
    raised = meanwhile(
        neon,
        lambda: branches.update(neon, made.project, made.branch, changes),
        setting(dev, "name", "next"),
    )
    assert isinstance(raised, Conflict)
    assert sorted(names(neon, made)) == ["main", "next"]


def test_a_branch_that_became_the_default_one_meanwhile_gets_no_expiry(
    neon: LocalNeon, made: ProjectWithDefaults, dev: Branch
) -> None:
    tomorrow = neon.clock.now().replace(year=neon.clock.now().year + 1)
    changes = BranchChanges(expires_at=tomorrow)

    def swap(other: sqlite3.Connection) -> None:
        setting(made.branch, "default", False)(other)
        setting(dev, "default", True)(other)

    raised = meanwhile(neon, lambda: branches.update(neon, made.project, dev, changes), swap)
    assert isinstance(raised, Unprocessable)
    assert branches.default(neon, made.project).expires_at is None


def test_a_branch_that_was_protected_meanwhile_is_not_reset(
    neon: LocalNeon, made: ProjectWithDefaults, dev: Branch
) -> None:
    wanted = RestoreBranch(source_branch_id=made.branch.id)
    raised = meanwhile(
        neon,
        lambda: branch_restoration.restore(neon, made.project, dev, wanted),
        setting(dev, "protected", True),
    )
    assert isinstance(raised, Unprocessable)
    current = branches.find(neon, made.project, dev.id)
    assert (current.cluster_id, current.last_reset_at) == (dev.cluster_id, None)


def test_a_restore_preserves_under_a_name_that_is_still_free(
    neon: LocalNeon, made: ProjectWithDefaults, dev: Branch
) -> None:
    wanted = RestoreBranch(source_branch_id=made.branch.id, preserve_under_name="before")
    other = create_branch(neon, made, "other")
    raised = meanwhile(
        neon,
        lambda: branch_restoration.restore(neon, made.project, dev, wanted),
        setting(other, "name", "before"),
    )
    assert isinstance(raised, Conflict)
    assert branches.find(neon, made.project, dev.id).cluster_id == dev.cluster_id
    assert sorted(names(neon, made)) == ["before", "dev", "main"]


def keep(neon: LocalNeon, made: ProjectWithDefaults) -> Snapshot:
    return snapshot_creation.create(
        neon, made.project, made.branch, name=None, time=None, lsn=None, expires_at=None
    )[0]


def test_a_snapshot_that_was_deleted_meanwhile_is_not_restored(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    snapshot = keep(neon, made)
    raised = meanwhile(
        neon,
        lambda: snapshot_restoration.restore(neon, made.project, snapshot, RestoreSnapshot()),
        deleting(snapshot),
    )
    assert isinstance(raised, NotFound)
    assert names(neon, made) == ["main"]


def test_the_plan_counts_snapshots_that_came_meanwhile(neon: LocalNeon, somebody: Person) -> None:
    user, own = somebody
    neon.store.update(Organization, own.id, store.setting(plan="free"))
    _, secret = neon.identity.create_key(user, "own")
    made = project_creation.create(neon, neon.identity.caller(secret), NewProject(name="shop"))
    snapshot = keep(neon, made)
    snapshots.delete(neon, made.project, snapshot)
    raised = meanwhile(
        neon,
        lambda: keep(neon, made),
        lambda other: other.execute(
            "INSERT INTO Snapshot (id, project_id, body) VALUES (?, ?, ?)",
            (snapshot.id, made.project.id, msgspec.json.encode(snapshot).decode()),
        ),
    )
    assert isinstance(raised, Unprocessable)
    assert [one.id for one in snapshots.all_of(neon, made.project)] == [snapshot.id]


def test_an_organization_without_spending_limits_gets_none(
    neon: LocalNeon, somebody: Person
) -> None:
    _, own = somebody
    raised = meanwhile(
        neon,
        lambda: neon.people.set_spending_limit(own.id, 100),
        setting(own, "plan", "free"),
    )
    assert isinstance(raised, Forbidden)
    current = neon.people.organization(own.id)
    assert current is not None
    assert (current.plan, current.spending_limit_cents) == ("free", None)


def test_a_revoked_key_does_not_come_back(neon_server_here: NeonServer) -> None:
    neon = neon_server_here.neon
    row, secret = neon.identity.create_key(neon.people.users()[0], "short-lived")
    api = Api(neon_server_here.base, secret)
    answers: list[tuple[int, Any]] = []
    raised = meanwhile(neon, lambda: answers.append(api.ask("GET", "/users/me")), deleting(row))
    assert raised is None
    answers.append(api.ask("GET", "/users/me"))
    assert [status for status, _ in answers] == [401, 401]
    assert neon.store.get(ApiKey, row.id) is None


def claiming(neon: LocalNeon, somebody: Person) -> Any:
    """A claim that was accepted, and could not be carried out yet."""
    user, own = somebody
    row = neon_new.create(neon)
    with neon.journal.locked(row.project_id):
        claimed = neon_new.claim(neon, row.id, user, own.id)
    assert claimed.state == "claiming"
    return claimed


def test_a_claim_is_carried_out_once(neon: LocalNeon, somebody: Person) -> None:
    """Carried out again it would move a project back that its owner has moved on."""
    claimed = claiming(neon, somebody)
    project = neon.store.get(Project, claimed.project_id)
    assert project is not None
    before = neon.store.all(Role, project_id=project.id)

    def by_another(other: sqlite3.Connection) -> None:
        setting(claimed, "state", "claimed")(other)
        setting(project, "org_id", "org-of-the-owner-00000000")(other)

    raised = meanwhile(neon, lambda: neon_new.carry_out_claims(neon), by_another)
    assert raised is None
    moved = neon.store.get(Project, project.id)
    assert moved is not None and moved.org_id == "org-of-the-owner-00000000"
    assert neon.store.all(Role, project_id=project.id) == before


def test_a_claim_code_that_was_cancelled_meanwhile_revokes_nothing(
    neon: LocalNeon, somebody: Person
) -> None:
    user, _ = somebody
    made = agents.register(neon, [], "tests", "http://localhost:1")
    issued = agent_claims.begin(neon, made.registration)
    before = neon.store.all(Role, project_id=made.registration.project_id)
    raised = meanwhile(
        neon,
        lambda: agent_claims.proceed(neon, issued.text, "tests", user),
        setting(issued.row, "state", "cancelled"),
    )
    assert isinstance(raised, WrongCode)
    assert neon.store.all(Role, project_id=made.registration.project_id) == before
    assert agent_tokens.exchange(neon, made.assertion, "http://localhost:1").scopes


def test_what_an_agent_began_is_not_carried_out_once_a_person_went_on(
    neon: LocalNeon, somebody: Person
) -> None:
    """A role that came after the passwords were renewed would be a way back in."""
    user, _ = somebody
    registration = agents.register(neon, [], "tests", "http://localhost:1").registration
    project = neon.store.get(Project, registration.project_id)
    branch = neon.store.get(Branch, registration.branch_id)
    assert project is not None and branch is not None  # as the request has read them
    issued = agent_claims.begin(neon, registration)
    agent_claims.proceed(neon, issued.text, "tests", user)
    with pytest.raises(NotFound):
        roles.create(neon, project, branch, NewRole(name="back_door"))
    assert [one.name for one in neon.store.all(Role, branch_id=branch.id)] == ["neondb_owner"]


def test_a_branch_that_is_created_during_a_claim_has_new_passwords(
    neon: LocalNeon, somebody: Person
) -> None:
    user, own = somebody
    row = neon_new.create(neon)
    project, main = neon.store.get(Project, row.project_id), neon.store.get(Branch, row.branch_id)
    assert project is not None and main is not None
    old = {one.name: one.password for one in neon.store.all(Role, branch_id=main.id)}

    def create() -> None:
        wanted = CreateBranch(branch=NewBranch(name="dev"))
        branch_creation.create(neon, project, wanted)

    thread = threading.Thread(target=create)
    with neon.computes.held(main.cluster_id):
        thread.start()
        wait_until(
            lambda: len(neon.store.all(Branch, project_id=project.id)) == 2, "the new branch"
        )
        # The giver's branch is being copied: the claim has to wait for it.
        assert neon_new.claim(neon, row.id, user, own.id).state == "claiming"
    thread.join(60)
    assert not thread.is_alive()
    neon_new.carry_out_claims(neon)
    found = neon.store.all(Role, project_id=project.id)
    assert len(found) == 2
    assert all(one.password != old[one.name] for one in found)
    with pytest.raises(NotFound):  # it is somebody else's now
        create()


def test_a_branch_is_not_created_in_a_project_that_was_claimed_meanwhile(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    raised = meanwhile(
        neon,
        lambda: create_branch(neon, made, "dev"),
        setting(made.project, "org_id", "org-of-somebody-00000000"),
    )
    assert isinstance(raised, NotFound)
    assert names(neon, made) == ["main"]


def test_a_second_change_is_refused_while_passwords_are_reset(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    with neon.journal.locked(made.project.id), pytest.raises(Locked):
        roles.reset_password(neon, made.project, made.branch, made.role.name)
    assert neon.store.get(Role, made.role.id) == made.role


def test_a_password_that_postgres_refuses_is_not_recorded(
    neon: LocalNeon, made: ProjectWithDefaults
) -> None:
    """The role was renamed by SQL after the service had looked whether it is there."""
    neon.computes.start(made.branch)
    address = neon.computes.address(made.branch.cluster_id)

    def rename(_: sqlite3.Connection) -> None:
        with psycopg.connect(**address, autocommit=True) as connection:
            connection.execute("ALTER ROLE neondb_owner RENAME TO boss")

    raised = meanwhile(
        neon,
        lambda: roles.reset_password(neon, made.project, made.branch, made.role.name),
        rename,
    )
    assert isinstance(raised, NotFound)
    row = neon.store.get(Role, made.role.id)
    assert row is not None and row.password == made.role.password
    cluster = neon.store.get(Cluster, made.branch.cluster_id)
    assert cluster is not None and cluster.state == "started"
