"""Versions of a database: states that are kept, and that one can go back to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from neonup.choice import resolve_by_id_or_name
from neonup.errors import NeonupError, ProviderError


@dataclass(frozen=True)
class Version:
    """A kept state of a database.

    Args:
        id: unique in its project.
        name: what a person calls it.
        created_at: when it was taken; aware.
        size: bytes, where that is known.
        automatic: whether neonup took it by itself, e.g. before a migration; old ones of these go.
    """

    id: str
    name: str
    created_at: datetime
    size: int | None = None
    automatic: bool = False


@dataclass(frozen=True)
class VersionBranch:
    """A copy beside the database, with a URL of its own. ``repr`` does not show the URL.

    Args:
        id: unique in its project.
        name: what a person calls it.
        url: how it is reached, in libpq's form.
        expires_at: when it is deleted by itself; aware.
    """

    id: str
    name: str
    url: str = field(repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Restored:
    """What a restore did. The database's URL is as before.

    Args:
        name: of the version; or the moment, as it was given.
        before: what there was before, kept as a version; None if it was not kept.
        branch_id: the id of the branch that the database is on now, where it has one.
        database_id: what the database is recorded by from now on, where that is another id.
        kept_branch: the name of the branch that has what there was before, where there is one.
    """

    name: str
    before: Version | None = None
    branch_id: str | None = None
    database_id: str | None = None
    kept_branch: str | None = None


class Versions(ABC):
    """The versions of one database. A provider's `Provider.versions` returns it.

    Every method may raise `ProviderError`: it did not work, and the database is as it was.
    """

    @abstractmethod
    def checkpoint(
        self, name: str | None = None, *, automatic: bool = False, replace_oldest: bool = False
    ) -> Version:
        """Keep the database as it is now.

        Args:
            name: one made of the time if None; it must not be taken.
            automatic: whether neonup does it by itself.
            replace_oldest: where no more versions may be kept, delete the oldest one for it.
        """

    @abstractmethod
    def history(self) -> list[Version]:
        """Every version, newest first."""

    @abstractmethod
    def preview(self, version: Version, *, expires_at: datetime | None = None) -> VersionBranch:
        """A branch with the version's data; the database stays as it is.

        Args:
            version: which.
            expires_at: when it is deleted by itself; aware; never if None.
        """

    @abstractmethod
    def restore(self, version: Version) -> Restored:
        """Bring the database back to a version; its URL stays."""

    def restore_to(self, moment: datetime) -> Restored:
        """Bring the database back to a moment, where the provider keeps its history.

        Args:
            moment: aware.
        """
        raise ProviderError(
            "This database can be brought back to its versions only, not to any moment.",
            remedy="`neonup versions list` shows them.",
        )

    @abstractmethod
    def delete(self, version: Version) -> None:
        """Delete a version; branches of it stay."""

    @abstractmethod
    def branch(self, name: str, *, expires_at: datetime | None = None) -> VersionBranch:
        """A branch of the database as it is now, e.g. to try something on.

        Args:
            name: it must not be taken.
            expires_at: when it is deleted by itself; aware; never if None.
        """

    @abstractmethod
    def branches(self) -> list[VersionBranch]:
        """The branches that `preview` and `branch` made."""

    @abstractmethod
    def delete_branch(self, branch: VersionBranch) -> None:
        """Delete a branch with its data."""


REPLACED = "before-"
"""What the name of an automatic version begins with that has what a restore replaced."""


def latest(versions: Sequence[Version]) -> Version | None:
    """The version that ``neonup undo`` goes back to: the newest that is no restore's own.

    Args:
        versions: newest first.
    """
    return next(
        (
            version
            for version in versions
            if not (version.automatic and version.name.startswith(REPLACED))
        ),
        None,
    )


def named(versions: Sequence[Version], text: str) -> Version:
    """The version of an id or name.

    Raises:
        NeonupError: there is none, or several have that name.
    """
    missing = NeonupError(
        f"There is no version {text!r}.", remedy="`neonup versions list` shows them."
    )
    return resolve_by_id_or_name(versions, text, plural="versions", missing=missing)
