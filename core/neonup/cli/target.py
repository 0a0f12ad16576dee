"""Which account and which project the commands about Neon mean, and how they find things there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from neonup.choice import N, one_of
from neonup.cli import options, output
from neonup.database import Database
from neonup.errors import NeonupError
from neonup.settings import Settings, resolve
from neonup.start import owner
from neonup.start.lookup import find_database

if TYPE_CHECKING:
    from neonup.neon import NeonClient
    from neonup.neon.answers import Branch, Operation, Snapshot

F = TypeVar("F", bound=Callable[..., Any])


def account_options(function: F) -> F:
    """``--local``, ``-e/--env`` and ``-k/--key``: whose projects are meant."""
    function = click.option(
        "--local", is_flag=True, help="Those of the neonup serve that runs on this machine."
    )(function)
    return options.database_options(function)


def project_options(function: F) -> F:
    """The same, and ``--project``."""
    function = click.option(
        "--project", metavar="ID", help="A project's id or name; that of .env if not given."
    )(function)
    return account_options(function)


yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


def make_sure(question: str, yes: bool) -> None:
    """Ask before data is lost.

    Raises:
        NeonupError: the answer is no, or there is nobody to ask.
    """
    if not yes and not output.confirm(question):
        raise NeonupError("Nothing was changed.", remedy="Pass --yes to skip the prompt.")


@dataclass(frozen=True)
class Target:
    """An account.

    Args:
        neon: its client.
        settings: the folder's.
        database: what ``.env`` records.
        org: the organization that is meant where one is named.
        fallback: the project of ``NEON_PROJECT_ID``.
    """

    neon: NeonClient
    settings: Settings
    database: Database | None
    org: str | None
    fallback: str | None

    def project(self, named: str | None) -> str:
        """The id of the project that is meant.

        Raises:
            NeonupError: none is named, and ``.env`` leads to none of the account.
        """
        from neonup.providers.account import current

        if named is not None:
            return current.named(self.neon, named, self.org).id
        try:
            found = current.project_id(self.neon, self.settings, self.database, self.org)
        except NeonupError:
            if self.fallback is None:
                raise
            found = None
        if found := found or self.fallback:
            return found
        raise NeonupError(
            "It is unknown which Neon project is meant.",
            checked=[f"{self.settings.key} in {self.settings.env_file}", "NEON_PROJECT_ID"],
            remedy="Name it: --project ID; `neonup projects list` shows them.",
        )

    def check_owner(self, named: str | None, lost: str) -> None:
        """Refuse to change what another folder's ``.env`` leads to, where this one was copied.

        Args:
            named: the project that a person has named, who means it then.
            lost: what would happen, e.g. ``deleted``.

        Raises:
            NeonupError: the database is another folder's.
        """
        if named is None and self.database is not None:
            owner.check(self.settings, self.database, lost)

    def branch(self, project_id: str, text: str | None) -> Branch:
        """The branch of an id or name; the default one if None.

        Raises:
            NeonupError: there is none, or several have that name.
        """
        if text is None:
            from neonup.providers.account.place import Place, branch_of

            return branch_of(self.neon, Place(project_id))
        found = self.neon.branches.list(project_id, search=text)
        return _chosen(found, text, "branch", "branches")

    def snapshot(self, project_id: str, text: str) -> Snapshot:
        """The snapshot of an id or name.

        Raises:
            NeonupError: there is none, or several have that name.
        """
        found = list(self.neon.snapshots.list(project_id))
        return _chosen(found, text, "snapshot", "snapshots")

    def settle(self, operations: Sequence[Operation], doing: str) -> None:
        """Wait for what Neon still has to do.

        Raises:
            OperationFailed: it failed, or did not end.
        """
        if operations:
            output.progress(doing)
            self.neon.operations.wait(operations)


def _chosen(found: Iterable[N], text: str, kind: str, plural: str) -> N:
    missing = NeonupError(
        f"There is no {kind} {text!r} in the project.",
        remedy=f"`neonup {plural} list` shows them.",
    )
    return one_of(found, text, plural=plural, missing=missing)


@contextmanager
def opened(*, local: bool, **arguments: Any) -> Iterator[Target]:
    """The account that a command means.

    That of a local Neon with ``--local``, or where ``.env`` leads to a database of one and nothing
    else names an API; else one's own.

    Raises:
        NeonupError: no local Neon runs, or there is no key.
    """
    from neonup.neon import NeonClient
    from neonup.providers.account import current
    from neonup.tables import AccountOptions

    settings = resolve(None, **arguments)
    database = find_database(settings)
    options = AccountOptions.of(settings)
    found = current.local_neon(settings, database, options, local=local)
    if found is not None:
        with NeonClient(found.key, base_url=found.base) as neon:
            yield Target(neon, settings, database, None, None)
        return
    with NeonClient(base_url=options.url) as neon:
        yield Target(neon, settings, database, options.org, options.project)
