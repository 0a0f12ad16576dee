"""Bodies of requests about roles and databases."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from neonup_emulator.neon.requests.fields import PgName, check_fit


class NewDatabase(Struct):
    """A database to be created."""

    name: PgName
    owner_name: PgName

    def __post_init__(self) -> None:
        """Refuse names that Postgres would cut."""
        check_fit(self.name, self.owner_name)


class CreateDatabase(Struct):
    """Body of `createProjectBranchDatabase`."""

    database: NewDatabase


class DatabaseChanges(Struct):
    """What changes of a database."""

    name: PgName | UnsetType = UNSET
    owner_name: PgName | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse names that Postgres would cut."""
        check_fit(self.name, self.owner_name)


class UpdateDatabase(Struct):
    """Body of `updateProjectBranchDatabase`."""

    database: DatabaseChanges


class NewRole(Struct):
    """A role to be created."""

    name: PgName
    no_login: bool = False

    def __post_init__(self) -> None:
        """Refuse names that Postgres would cut."""
        check_fit(self.name)


class CreateRole(Struct):
    """Body of `createProjectBranchRole`."""

    role: NewRole
