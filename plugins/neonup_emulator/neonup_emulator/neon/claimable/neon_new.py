"""What neon.new is, without HTTP: databases that are nobody's until they are claimed or expire.

Each is a project with one branch, one endpoint, one role and one database.
"""

from __future__ import annotations

import logging
import secrets
import time
import uuid
from dataclasses import dataclass, field

from msgspec.structs import replace

from neonup import NeonupError
from neonup_emulator.neon import ids
from neonup_emulator.neon.accounts.model import User
from neonup_emulator.neon.claimable import holding, unclaimed
from neonup_emulator.neon.claimable.model import ClaimableDatabase, ClaimableState
from neonup_emulator.neon.claimable.prepared import Ready
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.errors import Conflict, Failed, Forbidden, Gone, NotFound, Refused
from neonup_emulator.neon.model import Endpoint, Project, Role
from neonup_emulator.neon.state.store import setting
from neonup_emulator.neon.transfer import transfers
from neonup_emulator.neon.transfer.transfer_requests import destinations
from neonup_local.engine import template

log = logging.getLogger(__name__)

DATABASE = template.DATABASE
"""The name of the database in each project."""
_SECONDS_TO_CREATE = 60
_PENDING = (ClaimableState.CREATING, ClaimableState.UNCLAIMED)


@dataclass(frozen=True)
class Reached:
    """How an unclaimed database is reached."""

    project: Project
    endpoint: Endpoint
    role: Role = field(repr=False)


def create(
    neon: LocalNeon, *, name: str | None = None, logical_replication: bool = False
) -> ClaimableDatabase:
    """A database, asleep until somebody connects.

    Args:
        name: the id that the caller gives it, a UUID; the same again is the same database.
        logical_replication: whether `wal_level` is `logical`.

    Raises:
        NotFound: there was one of that id, and it has expired.
        Refused: it cannot be created.
    """
    now = neon.clock.now()
    wanted = ClaimableDatabase(
        id=name or uuid7(),
        project_id=ids.project(),
        created_at=now,
        updated_at=now,
        expires_at=now + unclaimed.LIFETIME,
    )
    given = neon.prepared.give(wanted, logical_replication=logical_replication)
    if given is not wanted:
        return _created(neon, given)
    try:
        created = unclaimed.create(
            neon,
            wanted.id,
            id=wanted.project_id,
            name=wanted.project_id,  # with which `neonup list` shows it
            password=_password(),
            logical_replication=logical_replication,
        )
        made = setting(branch_id=created.branch.id, state=ClaimableState.UNCLAIMED)
        return neon.store.update(ClaimableDatabase, wanted.id, made)
    except BaseException:
        neon.store.delete(wanted)
        raise


def fill(neon: LocalNeon) -> None:
    """Create projects for the next databases; none where none was asked for lately.

    Raises:
        Refused: one cannot be created.
    """

    def create() -> Ready:
        id = ids.project()  # noqa: A001
        created = unclaimed.create(
            neon, "neon.new", id=id, name=id, password=_password(), prepares=True
        )
        return Ready(id, created.branch.id)

    neon.prepared.fill(create)


def find(neon: LocalNeon, name: str) -> ClaimableDatabase | None:
    """The database with that id, if it can be used and has not expired."""
    database = _known(neon, name)
    if database is None or database.state is ClaimableState.CREATING or _is_over(neon, database):
        return None
    return database


def has_expired(neon: LocalNeon, name: str) -> bool:
    """Whether there was such a database, and it has expired."""
    database = _known(neon, name)
    return database is not None and _is_over(neon, database)


def reach(neon: LocalNeon, database: ClaimableDatabase) -> Reached | None:
    """How a database is reached; None once it is claimed: that is its owner's business.

    Raises:
        Failed: its project is not as it was created.
    """
    if database.state is ClaimableState.CLAIMED:
        return None
    project = neon.store.get(Project, database.project_id)
    role = neon.store.get(Role, Role.id_of(database.branch_id, template.OWNER))
    endpoints = neon.store.all(Endpoint, branch_id=database.branch_id)
    if project is None or role is None or not endpoints:
        raise Failed(f"the project {database.project_id} has lost its endpoint or its role")
    return Reached(project, endpoints[0], role)


def claim(neon: LocalNeon, name: str, user: User, org_id: str) -> ClaimableDatabase:
    """Make a database an organization's: it expires no more, and its passwords are new.

    Returns:
        It; `claiming` where the move goes on.

    Raises:
        NotFound: it is not there, or it has expired.
        Conflict: somebody else has claimed it.
        Forbidden: it is no organization that the user may bring a project to.
    """
    if org_id not in {destination.id for destination in destinations(neon, user)}:
        raise Forbidden("Choose an organization of yours.")
    with neon.store.transaction():  # one at a time
        database = find(neon, name)
        if database is None:
            raise NotFound("Database not found")
        if database.state is not ClaimableState.UNCLAIMED:
            if database.claimed_by == user.id:
                return database
            raise Conflict("This database has been claimed already.")
        now = neon.clock.now()
        new = {"state": ClaimableState.CLAIMING, "claimed_by": user.id, "claimed_into": org_id}
        claiming = neon.store.update(ClaimableDatabase, name, setting(**new, updated_at=now))
    _carry_out(neon, claiming)
    return neon.store.get(ClaimableDatabase, name) or claiming


def carry_out_claims(neon: LocalNeon) -> None:
    """Finish the claims that could not be carried out at once."""
    for database in neon.store.all(ClaimableDatabase):
        if database.state is ClaimableState.CLAIMING:
            _carry_out(neon, database)


def expire(neon: LocalNeon) -> None:
    """Delete the projects of databases that have expired, and later their rows."""
    now = neon.clock.now()
    carry_out_claims(neon)
    with neon.store.transaction():  # either this or a claim
        for database in neon.store.all(ClaimableDatabase):
            if database.state is ClaimableState.UNCLAIMED and database.expires_at <= now:
                expired = setting(state=ClaimableState.EXPIRED, updated_at=now)
                neon.store.update(ClaimableDatabase, database.id, expired)
    for database in neon.store.all(ClaimableDatabase):
        if database.state is not ClaimableState.EXPIRED:
            continue
        project = neon.store.get(Project, database.project_id)
        if project is not None and holding.holds(project):
            try:
                unclaimed.end(neon, project)
            except (Refused, NeonupError) as error:  # e.g. it is being changed: later
                log.info("%s, which is over, is not deleted yet: %s", project.id, error)
        elif database.expires_at + unclaimed.REMEMBERED < now:
            neon.store.delete(database)


def _carry_out(neon: LocalNeon, database: ClaimableDatabase) -> None:
    project = neon.store.get(Project, database.project_id)
    organization = neon.people.organization(database.claimed_into or "")
    user = neon.people.user(database.claimed_by or "")
    if project is None or organization is None or user is None:
        log.error("The claim of %s leads nowhere any more.", database.project_id)
        neon.store.update(ClaimableDatabase, database.id, _unclaimed)
        return

    def check() -> None:
        current = neon.store.get(ClaimableDatabase, database.id)
        if current is None or current.state is not ClaimableState.CLAIMING:
            raise Gone("the claim was carried out already")

    claimed = setting(state=ClaimableState.CLAIMED, updated_at=neon.clock.now())
    try:
        transfers.claim(
            neon,
            project,
            organization,
            user,
            check=check,
            also=lambda: neon.store.update(ClaimableDatabase, database.id, claimed),
        )
    except Refused as refused:  # something else is under way: later
        log.info("The claim of %s waits: %s", project.id, refused.message)


def _unclaimed(database: ClaimableDatabase) -> ClaimableDatabase:
    """A database whose claim leads nowhere, unless something has become of it meanwhile."""
    if database.state is not ClaimableState.CLAIMING:
        return database
    return replace(database, state=ClaimableState.UNCLAIMED, claimed_by=None, claimed_into=None)


def _created(neon: LocalNeon, database: ClaimableDatabase) -> ClaimableDatabase:
    """Wait until a database that another request creates can be used; returns it.

    Raises:
        NotFound: it has expired.
        Failed: it could not be created.
    """
    deadline = time.monotonic() + _SECONDS_TO_CREATE
    current: ClaimableDatabase | None = database
    while current is not None and time.monotonic() < deadline:
        if _is_over(neon, current):
            raise NotFound("Database not found")
        if current.state is not ClaimableState.CREATING:
            return current
        time.sleep(0.02)
        current = neon.store.get(ClaimableDatabase, database.id)
    raise Failed("the database could not be created")


def _known(neon: LocalNeon, name: str) -> ClaimableDatabase | None:
    try:
        canonical = str(uuid.UUID(name)) == name
    except ValueError:
        return None
    return neon.store.get(ClaimableDatabase, name) if canonical else None


def _is_over(neon: LocalNeon, database: ClaimableDatabase) -> bool:
    """Whether it has expired; its data may not be deleted yet."""
    if database.state is ClaimableState.EXPIRED:
        return True
    return database.state in _PENDING and database.expires_at <= neon.clock.now()


def uuid7() -> str:
    """A new UUID of version 7: the milliseconds since 1970, then chance (RFC 9562, 5.7)."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value &= ~(0xF << 76 | 0x3 << 62)
    return str(uuid.UUID(int=value | 0x7 << 76 | 0x2 << 62))


def _password() -> str:
    """A password like Neon's that ends in ``pooler``.

    neon-new puts ``-pooler`` before the first dot of a URL that does not have ``pooler`` in it,
    which would break the address 127.0.0.1; so this one has it, where it does no harm.
    """
    return f"{ids.password()}pooler"
