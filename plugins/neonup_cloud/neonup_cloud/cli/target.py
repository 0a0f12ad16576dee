"""The account and the project that a command uses, and how names in it are resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from neonup import Database, NeonupError, Settings, resolve
from neonup.plugin import commands, progress
from neonup.plugin.commands import N, resolve_by_id_or_name
from neonup.plugin.project import check_owner, find_database
from neonup_cloud.cli import times

if TYPE_CHECKING:
    from neonup_cloud import NeonClient
    from neonup_cloud.account.linked import NeonLink
    from neonup_cloud.api.answers import Branch, Operation, Snapshot

F = TypeVar("F", bound=Callable[..., Any])


def account_options(function: F) -> F:
    """``--local``, ``-e/--env`` and ``-k/--key``: whose projects are meant."""
    function = click.option(
        "--local", is_flag=True, help="Use the local Neon of this machine (neonup serve)."
    )(function)
    return commands.database_options(function)


def project_options(function: F) -> F:
    """As `account_options`, and ``--project``."""
    function = click.option(
        "--project", metavar="ID", help="A project's id or name; that of .env if not given."
    )(function)
    return account_options(function)


def at_option(function: F) -> F:
    """``--at``: a moment in the project's history."""
    return click.option(
        "--at", type=times.at, metavar="WHEN",
        help="As it was at an ISO time, '5m ago', or an LSN; within the project's history.",
    )(function)  # fmt: skip


def _recorded_branches(settings: Settings) -> list[str]:
    from neonup_cloud.account.git_branches import GitBranches

    return [record.name for record in GitBranches.of(settings).all().values() if record.name]


complete_branch = commands.completed_by(_recorded_branches)
"""The Neon branches that this machine has recorded; Neon is not asked."""


def plain(answer: Any) -> Any:
    """An answer of Neon's API as plain data, for `commands.emit`."""
    return msgspec.to_builtins(answer)


@dataclass(frozen=True)
class AccountTarget:
    """The account that a command uses.

    Args:
        neon: its client.
        settings: the folder's.
        database: what ``.env`` records.
        org: the organization that is meant where one is named.
        fallback: the project of ``NEON_PROJECT_ID``, else the one that ``.neon`` links to.
        link: what ``.neon`` says; None: it is not read.
    """

    neon: NeonClient
    settings: Settings
    database: Database | None
    org: str | None
    fallback: str | None
    link: NeonLink | None = None

    def project(self, named: str | None) -> str:
        """The id of the project that the command uses.

        Raises:
            NeonupError: none is named, and ``.env`` leads to none of the account.
        """
        from neonup_cloud.account import current

        if named is not None:
            return current.named(self.neon, named, self.org).id
        try:
            project_id = current.project_id(self.neon, self.settings, self.database, self.org)
        except NeonupError:
            if self.fallback is None:
                raise
            project_id = None
        if project_id := project_id or self.fallback:
            return project_id
        raise NeonupError(
            "It is unknown which Neon project is meant.",
            checked=[
                f"{self.settings.key} in {self.settings.env_file}",
                "NEON_PROJECT_ID",
                ".neon",
            ],
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
            check_owner(self.settings, self.database, lost)

    def branch(self, project_id: str, text: str | None) -> Branch:
        """The branch of an id or name; the default one if None.

        Raises:
            NeonupError: it does not exist, or several have that name.
        """
        if text is None:
            from neonup_cloud.account.location import DatabaseLocation, branch_of

            return branch_of(self.neon, DatabaseLocation(project_id))
        matches = self.neon.branches.list(project_id, search=text)
        return _chosen(matches, text, "branch", "branches")

    def current_branch(self, project_id: str, text: str | None) -> Branch:
        """As `branch`; if None, the one that ``.neon`` names in that project, where it names one.

        Raises:
            SettingsError: that one does not exist.
        """
        from neonup_cloud.account import linked_branch

        linked = None if text else linked_branch.named(self.neon, self.link, project_id)
        return linked or self.branch(project_id, text)

    def snapshot(self, project_id: str, text: str) -> Snapshot:
        """The snapshot of an id, name or slug, in this order, which is the official command's.

        Raises:
            NeonupError: it does not exist, or several have that name.
        """
        snapshots = list(self.neon.snapshots.list(project_id))
        if not any(text in (snapshot.id, snapshot.name) for snapshot in snapshots):
            for snapshot in snapshots:
                if snapshot.slug == text:
                    return snapshot
        return _chosen(snapshots, text, "snapshot", "snapshots")

    def settle(self, operations: Sequence[Operation], doing: str) -> None:
        """Wait for operations that Neon still runs.

        Raises:
            OperationFailed: it failed, or did not end.
        """
        if operations:
            with progress.work(doing):
                self.neon.operations.wait(operations)


def _chosen(candidates: Iterable[N], text: str, kind: str, plural: str) -> N:
    missing = NeonupError(
        f"There is no {kind} {text!r} in the project.",
        remedy=f"`neonup {plural} list` shows them.",
    )
    return resolve_by_id_or_name(candidates, text, plural=plural, missing=missing)


@contextmanager
def opened(*, local: bool, uses_link: bool = True, **arguments: Any) -> Iterator[AccountTarget]:
    """Open the account that a command uses.

    That of a local Neon with ``--local``, or where ``.env`` leads to a database of one and nothing
    else names an API; else one's own.

    Args:
        uses_link: whether the project, branch and organization of ``.neon`` are meant where
            neither variables nor ``[tool.neonup.account]`` name others.

    Raises:
        NeonupError: no local Neon runs, there is no key, or ``.neon`` cannot be used.
    """
    from neonup_cloud import NeonClient
    from neonup_cloud.account import current, linked
    from neonup_cloud.options import AccountOptions

    settings = resolve(None, **arguments)
    database = find_database(settings)
    options = AccountOptions.of(settings)
    local_neon = current.local_neon(settings, database, options, local=local)
    if local_neon is not None:
        with NeonClient(local_neon.key, base_url=local_neon.base) as neon:
            yield AccountTarget(neon, settings, database, None, None)
        return
    link = linked.link_of(options, settings.project) if uses_link else None
    options = linked.with_link(options, link)
    with NeonClient(base_url=options.url) as neon:
        yield AccountTarget(neon, settings, database, options.org, options.project, link)
