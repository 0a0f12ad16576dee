"""What a provider is: a small named class that creates databases and knows how they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from neonup.database import ClaimOffer, Database, DatabaseSpec, Inspection, State
from neonup.errors import ProviderError
from neonup.options import Options
from neonup.settings import Settings

if TYPE_CHECKING:  # which no start needs
    from neonup.versions import Versions


class Provider(ABC):
    """A maker of databases. One object serves one start of one project.

    Args:
        settings: the project's settings; of a provider's own options, `options` is the class.
    """

    name: ClassVar[str]
    """What ``provider = "..."`` and ``.env`` call it; unique."""

    local: ClassVar[bool] = False
    """Whether its databases live on this machine: only such a one may create in CI or for tests."""

    label: ClassVar[str] = ""
    """What people are shown, with its article: ``a local Postgres``; empty: made of the name."""

    retention: ClassVar[str | None] = None
    """How long a database is kept that does not expire, for the banner of a new one."""

    copies: ClassVar[bool] = False
    """Whether `provision` can begin with the data of ``spec.copy_of``, for ``fork``."""

    options: ClassVar[type[Options] | None] = None
    """What can be set for it, so that a misspelt name is refused; None: it does not say."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def unavailable(self) -> str | None:
        """Why it cannot be used on this machine, in one sentence; None if it can.

        Called before `provision`, and by ``neonup doctor``. No request over a network.
        """
        return None

    def facts(self) -> Iterable[str]:
        """What ``neonup doctor`` should print of it, a line each: versions, addresses, limits."""
        return ()

    @abstractmethod
    def provision(self, spec: DatabaseSpec) -> Database:
        """Create a database and return it once it answers, with ``created=True``.

        The flow holds the project's lock. A provider that was killed half-way the last time
        finishes what it finds of the same ``spec`` rather than starting a second one; where data
        was there already it says so with ``created=False`` and a ``note``.

        Raises:
            ProviderError: nothing was made, or what was made can be found by the next call.
        """

    def check(self, database: Database) -> State:
        """How the database is, at every start, so without a network and in a few milliseconds."""
        remaining = database.expires_in
        if remaining is not None and remaining.total_seconds() <= 0:
            return State.EXPIRED
        return State.READY

    def inspect(self, database: Database) -> Inspection:
        """How the database is, looked at closely: for ``status``, ``claim`` and expiry.

        Raises:
            ProviderError: it could not be found out.
        """
        return Inspection(self.check(database), database)

    def wake(self, database: Database) -> Database:
        """Start a `State.STOPPED` database and return it once it answers; under the lock.

        The answer may have another URL, e.g. where its port is taken.
        """
        return database

    def server_url(self, database: Database) -> str:
        """The URL of the database's server, for ``url --server``: any database may be made there.

        The server has one that is called as the role, which libpq takes where a URL names none.

        Raises:
            ProviderError: the provider's databases are not for that.
        """
        raise ProviderError(
            f"The provider {self.name!r} gives a database, not a server to make databases on.",
            remedy='A local database has one: provider = "local".',
        )

    def begin_claim(self, database: Database) -> ClaimOffer:
        """How a person takes the database into an account, for ``claim``.

        Called after `inspect` found it to be neither claimed nor gone.

        Args:
            database: as `inspect` returned it.

        Raises:
            ProviderError: it cannot be claimed.
        """
        if database.claim_url is None:
            raise ProviderError(f"No claim link is known for the {self.name} database.")
        return ClaimOffer(database.claim_url, database, expires_at=database.expires_at)

    def neon_project(self, database: Database) -> str | None:
        """The id of the Neon project that the database is in, for ``adopt``; None: in none.

        Raises:
            ProviderError: it could not be found out.
        """
        return None

    def versions(self, database: Database) -> Versions | None:
        """The database's versions; None: the provider keeps none."""
        return None

    def git_branch(self, database: Database) -> str | None:
        """The git branch that the database's data is of; empty: it is unknown.

        Asked at every start with the setting ``git_branches``, so as quick as `check`.

        Returns:
            None: the provider keeps one state, whatever is checked out.
        """
        return None

    def switch(self, database: Database, git_branch: str) -> Database:
        """Go over to the data of another git branch; under the project's lock.

        One that has none yet begins as a copy of the present data. Where it is unknown of which
        branch that is, it is this one's from now on. `check` and `wake` see to the server.

        Returns:
            The same database with the branch's data behind its URL, or the branch's own one:
            ``created`` where the branch had no data yet, and a ``note`` that says more of it.

        Raises:
            ProviderError: it failed; the data is as it was.
        """
        raise ProviderError(f"The provider {self.name!r} keeps no data of git branches.")

    def explain_missing(self, feature: str) -> str | None:
        """How to get what a database of this provider lacks; None if that is not known.

        Args:
            feature: an extension's name, or ``icu`` for ICU's collations.
        """
        return None

    def clear(self, database: Database) -> None:
        """Delete the data, so that `provision` begins again; for ``reset`` of a `local` one.

        Versions of the database stay where they can.

        Raises:
            ProviderError: it could not be deleted.
        """
        self.delete(database)

    @abstractmethod
    def delete(self, database: Database) -> None:
        """Delete the database and its data for good.

        Raises:
            ProviderError: it could not be deleted, or the service has no way to.
        """
