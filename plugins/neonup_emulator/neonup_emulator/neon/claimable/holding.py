"""Who owns the projects of agents and of neon.new until somebody claims them: organizations of
the service.

They have one member, who has no key and whom nobody can sign in as, so that none is ever listed.
"""

from __future__ import annotations

from msgspec.structs import replace

from neonup_emulator.neon import purging
from neonup_emulator.neon.accounts.identity import Caller
from neonup_emulator.neon.accounts.model import Organization, User
from neonup_emulator.neon.claimable.model import (
    AgentRegistration,
    ClaimableDatabase,
    ClaimableState,
    RegistrationState,
)
from neonup_emulator.neon.data.clusters import Clusters
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.clock import Clock
from neonup_emulator.neon.state.store import Store, setting

_USER_ID = "7b6f5a0e-6c1d-5d57-9a35-0c1a1b1e0000"
UNCLAIMED = "org-unclaimed-projects-00000000"
"""The organization of projects that their agents reach, and of neon.new's."""
PREPARED = "org-prepared-projects-00000000"
"""Of projects that were created beforehand, for nobody yet."""
CLAIMING = "org-claiming-projects-00000000"
"""Of projects that a person went on to the console with: their agents reach them no more, nor do
requests of theirs that were under way."""
_NAMES = {
    UNCLAIMED: "Unclaimed projects",
    PREPARED: "Prepared projects",
    CLAIMING: "Projects being claimed",
}


def exists(store: Store) -> bool:
    """Whether the organizations of the service were created."""
    return all(store.get(Organization, id_) is not None for id_ in _NAMES)


def create(store: Store, clock: Clock) -> None:
    """Create the organizations and their user, where they are not there yet."""
    now = clock.now()
    user = User(
        id=_USER_ID,
        email="unclaimed@localhost.invalid",
        name=_NAMES[UNCLAIMED],
        created_at=now,
    )
    organizations = [
        Organization(
            id=id_,
            name=name,
            handle=name.lower().replace(" ", "-"),
            created_at=now,
            plan="enterprise",  # no limit on how many projects wait here
        )
        for id_, name in _NAMES.items()
    ]
    missing = [row for row in (user, *organizations) if store.get(type(row), row.id) is None]
    store.insert(*missing)


def caller(
    store: Store, credential_id: str, *, project_id: str | None = None, org_id: str = UNCLAIMED
) -> Caller:
    """The service itself, limited to one project where one is given.

    Args:
        credential_id: for whom it asks.
        org_id: which of its organizations it reaches.
    """
    user = store.get(User, _USER_ID)
    assert user is not None  # noqa: S101 - it was created before the first project
    return Caller(
        user,
        "api_key_org",
        credential_id,
        {org_id: "admin"},
        org_id=org_id,
        project_id=project_id,
    )


def holds(project: Project) -> bool:
    """Whether nobody has claimed the project."""
    return project.org_id in {UNCLAIMED, CLAIMING}


def is_prepared(project: Project) -> bool:
    """Whether the project is for nobody yet."""
    return project.org_id == PREPARED


def held(project: Project) -> Project:
    """A prepared project as it is once it was given away, and can be claimed."""
    return replace(project, org_id=UNCLAIMED)


def release(store: Store, project: Project) -> None:
    """End what an unclaimed project is under: its quota, and the agent that had it.

    Call it in the transaction that gives the project to whoever claims it.
    """

    def without_quota(row: Project) -> Project:
        settings = {name: value for name, value in row.settings.items() if name != "quota"}
        return replace(row, settings=settings)

    store.update(Project, project.id, without_quota)
    for registration in store.all(AgentRegistration, project_id=project.id):
        reconciled = setting(state=RegistrationState.RECONCILED)
        store.update(AgentRegistration, registration.id, reconciled)


def forget_unfinished(store: Store, clusters: Clusters) -> None:
    """Remove prepared projects, and those whose creation never ended.

    Raises:
        EngineError: a server of theirs does not stop.
    """
    store.delete(
        *[
            claimable
            for claimable in store.all(ClaimableDatabase)
            if claimable.state is ClaimableState.CREATING
        ]
    )
    known = {registration.project_id for registration in store.all(AgentRegistration)}
    known |= {claimable.project_id for claimable in store.all(ClaimableDatabase)}
    for project in store.all(Project):
        if is_prepared(project) or (holds(project) and project.id not in known):
            purging.purge(store, clusters, project)
