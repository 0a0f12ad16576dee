"""What no two rows of a kind may share besides their ids, as unique indexes of SQLite.

The ids of some rows are natural keys already: a role's and a database's are made of the branch and
the name, a member's of the organization and the user, those of tokens and offers are digests.
Projects, snapshots and organizations may share their names, as at Neon.
"""

from __future__ import annotations

from dataclasses import dataclass

from neonup_emulator.neon.accounts.model import ApiKey, Invitation, User
from neonup_emulator.neon.claimable.model import (
    AgentRegistration,
    ClaimableDatabase,
    ClaimCode,
    ClaimCodeState,
)
from neonup_emulator.neon.model import Branch, Endpoint, Permission, ProjectGrant, Snapshot
from neonup_emulator.neon.state.row import Row


@dataclass(frozen=True)
class NaturalKey:
    """A unique index.

    Args:
        kind: of the rows.
        fields: what identifies a row; addresses of people are the same in small letters.
        where: a condition of SQL that a row must meet to be in the index.
        refusal: what is said to whoever would be the second.
    """

    kind: type[Row]
    fields: tuple[str, ...]
    refusal: str
    where: str = "true"

    @property
    def name(self) -> str:
        """The index's."""
        return f"{self.kind.__name__}_unique_{'_'.join(self.fields)}"

    @property
    def statement(self) -> str:
        """Creates the index where it is missing."""
        columns = ", ".join(_column(name) for name in self.fields)
        return (
            f"CREATE UNIQUE INDEX IF NOT EXISTS {self.name} "
            f"ON {self.kind.__name__} ({columns}) WHERE {self.where}"
        )


def _column(name: str) -> str:
    if name in ("project_id", "branch_id"):
        return name  # a column of its own
    value = f"json_extract(body, '$.{name}')"
    return f"lower({value})" if "email" in name else value


def _is(name: str, value: str) -> str:
    return f"json_extract(body, '$.{name}') = {value}"


NATURAL_KEYS = (
    NaturalKey(User, ("email",), "an account with that email address already exists"),
    NaturalKey(Invitation, ("org_id", "email"), "that address was invited already"),
    NaturalKey(ApiKey, ("digest",), "API key already exists"),
    NaturalKey(Branch, ("project_id", "name"), "branch already exists"),
    NaturalKey(Branch, ("cluster_id",), "the data belongs to another branch"),
    NaturalKey(
        Branch, ("project_id",), "the project has a default branch already", _is("default", "true")
    ),
    NaturalKey(
        Endpoint,
        ("branch_id",),
        "read_write endpoint already exists",
        _is("type", "'read_write'"),
    ),
    NaturalKey(Snapshot, ("project_id", "slug"), "snapshot slug already exists"),
    NaturalKey(Permission, ("project_id", "granted_to_email"), "permission already exists"),
    NaturalKey(ProjectGrant, ("project_id", "member_id"), "the member has a permission already"),
    NaturalKey(AgentRegistration, ("project_id",), "the project has an agent already"),
    NaturalKey(AgentRegistration, ("digest",), "the identity assertion is another agent's"),
    NaturalKey(ClaimCode, ("digest",), "the claim code was issued already"),
    NaturalKey(
        ClaimCode,
        ("registration_id",),
        "there is another claim code",
        _is("state", f"'{ClaimCodeState.PENDING}'"),
    ),
    NaturalKey(ClaimableDatabase, ("project_id",), "the project is another database's"),
)
"""All of them; a violation is refused with 409 unless a check has refused it before."""


def refusal(violation: str) -> str | None:
    """What is said to whoever violates one of these.

    Args:
        violation: SQLite's message: it names an index of expressions by its name, and one of
            columns by these.

    Returns:
        None where it is another index, e.g. that of the ids.
    """
    for key in NATURAL_KEYS:
        columns = ", ".join(f"{key.kind.__name__}.{name}" for name in key.fields)
        if f"'{key.name}'" in violation or violation.endswith(f": {columns}"):
            return key.refusal
    return None
