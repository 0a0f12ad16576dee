"""``adopt``: a claimed database, found in one's own account, with its new URL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neonup import USER, Database, NeonupError, Provider, ProviderError, Settings, State
from neonup.plugin import commands
from neonup.plugin.project import (
    Start,
    exposure_remarks,
    is_marked,
    is_same,
    project_lock,
    provider_class,
    publish,
    recorded_database,
)
from neonup.plugin.provisioning import write_record

if TYPE_CHECKING:
    from neonup_cloud import NeonClient
    from neonup_cloud.account.linked import NeonLink
    from neonup_cloud.api.answers import Branch
    from neonup_cloud.api.connection_urls import ConnectionUrls

_ACCOUNT = "account"


@dataclass(frozen=True)
class _Former:
    """A database as it was before its claim, and its provider."""

    database: Database
    provider: Provider


@click.command()
@commands.database_options
@click.option("--project", "project_id", metavar="ID", help="The Neon project, where unknown.")
@click.option("--branch", metavar="NAME", help="A branch of it; that of .neon, or the default one.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before replacing a URL of your own.")
@commands.json_option
def adopt(project_id: str | None, branch: str | None, yes: bool, **arguments: Any) -> None:
    """Find the claimed database in your Neon account, and renew its URL in .env."""
    start = commands.change(**arguments)
    adopted = _adopt(start, project_id, branch, yes=yes)
    start.remarks += exposure_remarks(Path(adopted.source))
    commands.show_database(adopted, start.remarks)


def adopt_claimed(settings: Settings) -> Database:
    """The same for a database whose claim ``neonup claim`` has seen; errors are `adopt`'s."""
    return _adopt(Start(settings), None, None, yes=False)


def _adopt(start: Start, project_id: str | None, branch: str | None, *, yes: bool) -> Database:
    database = recorded_database(start.settings)
    _check_environment(start, database)
    from neonup_cloud import NeonClient
    from neonup_cloud.account import linked, linked_branch
    from neonup_cloud.account.location import endpoint_host
    from neonup_cloud.options import AccountOptions

    former = _former(start, database) if database is not None else None
    options = AccountOptions.of(start.settings)
    link = linked.link_of(options, start.settings.project)
    if project_id is None:
        project_id = _project_of(start, former, linked.with_link(options, link).project)
    if former is None and database is not None:
        _make_sure(database, yes)
    with NeonClient(base_url=options.url) as neon:
        neon_branch, urls = _reach(neon, project_id, branch, database, former, link=link)
    adopted = _adopted(start, database, f"{project_id}/{neon_branch.id}", urls)
    adopted = _record(start.settings, adopted, replaces=database)
    if former is None or endpoint_host(former.database.url, {}) != endpoint_host(adopted.url, {}):
        linked_branch.note(start.settings, project_id, adopted.url)
    start.remarks += publish(start.settings, adopted, os.environ)
    return adopted


def _check_environment(start: Start, database: Database | None) -> None:
    key = start.settings.key
    exported = os.environ.get(key, "")
    known = () if database is None else (database.url, database.direct)
    if exported and exported not in known and not is_marked(key, exported, os.environ):
        raise NeonupError(
            f"{key} is set in the environment, which wins over any file.",
            remedy=f"Unset it there: unset {key}",
        )


def _former(start: Start, database: Database) -> _Former | None:
    """What neonup knows of it; None for the user's own."""
    name, id_ = database.before_claim or (database.provider, database.id)
    if name == USER:
        return None
    provider = provider_class(name)(start.settings)
    return _Former(database.with_(provider=name, id=id_), provider)


def _project_of(start: Start, former: _Former | None, named: str | None) -> str:
    """The project of the record, else the one of ``NEON_PROJECT_ID`` or ``.neon``."""
    if former is not None and former.provider.local:
        raise NeonupError(
            "A local database is not in any Neon account.",
            remedy="`neonup --provider account --force` creates one there.",
        )
    project_id = former.provider.neon_project(former.database) if former is not None else named
    if project_id is None:
        raise NeonupError(
            f"It is unknown which Neon project {start.settings.key} is in.",
            checked=(f"the environment and {start.settings.env_file}", "NEON_PROJECT_ID", ".neon"),
            remedy="Name it: neonup adopt --project ID; its page in the Neon console shows the id.",
        )
    return project_id


def _make_sure(database: Database, yes: bool) -> None:
    question = f"Replace {database.key} in {database.source}, which is your own database?"
    if not yes and not commands.confirm(question):
        raise NeonupError("Nothing was changed.", remedy="Pass --yes to skip the prompt.")


def _reach(
    neon: NeonClient,
    project_id: str,
    branch: str | None,
    database: Database | None,
    former: _Former | None,
    *,
    link: NeonLink | None,
) -> tuple[Branch, ConnectionUrls]:
    """The branch, and its URLs for the role and database that were used so far.

    Raises:
        NeonupError: the account does not have it.
    """
    from neonup import urls
    from neonup_cloud.account import location as locations
    from neonup_cloud.api.errors import NotFound

    try:
        neon.projects.get(project_id)
    except NotFound:
        raise _not_here(project_id, former) from None
    neon.operations.settle(project_id)
    neon_branch = _branch(neon, project_id, branch, former, link)
    old = urls.parse(database.url) if database is not None else None
    name = old.dbname if old and old.dbname in locations.databases(neon, neon_branch) else None
    try:
        return neon_branch, locations.urls(
            neon, neon_branch, database=name, role=old.user if old else None
        )
    except NotFound:  # the role is gone
        return neon_branch, locations.urls(neon, neon_branch, database=name)


def _branch(
    neon: NeonClient,
    project_id: str,
    branch: str | None,
    former: _Former | None,
    link: NeonLink | None,
) -> Branch:
    """The named branch, else the one of the record, of ``.neon``, or the default one."""
    from neonup_cloud.account import linked_branch
    from neonup_cloud.account.location import DatabaseLocation, branch_of, now, parse

    if branch is not None:
        for candidate in neon.branches.list(project_id, search=branch):
            if branch in (candidate.name, candidate.id):
                return candidate
        raise NeonupError(f"The project {project_id} has no branch {branch!r}.")
    if former is not None and former.provider.name == _ACCOUNT:
        location = parse(former.database.id)
        if location.project == project_id:
            return branch_of(neon, now(neon, location, former.database.url))
    by_link = linked_branch.named(neon, link, project_id)
    return by_link or branch_of(neon, DatabaseLocation(project_id))


def _not_here(project_id: str, former: _Former | None) -> NeonupError:
    """Why the account does not have the project."""
    state, checked = None, [f"the project {project_id}"]
    if former is not None and former.provider.name != _ACCOUNT:
        try:
            state = former.provider.inspect(former.database).state
        except ProviderError as error:
            checked.append(error.message)
    if state in (State.READY, State.REVOKED):
        begun = "" if state is State.READY else ": a claim has begun and is not finished"
        return NeonupError(
            f"The database has not been claimed yet{begun}.",
            checked=checked,
            remedy="`neonup claim` first; then neonup adopt.",
        )
    return NeonupError(
        "The database is not in the account whose key is used.",
        checked=checked,
        remedy="Sign in as who claimed it (neonup auth login), or set NEON_API_KEY to their key.",
    )


def _adopted(start: Start, database: Database | None, id_: str, urls: ConnectionUrls) -> Database:
    if database is not None and database.provider == _ACCOUNT and database.claim_url is None:
        own = database.id or "/"
        id_ = id_ if "/" in own else own  # a project of neonup's own stays that
    return Database(
        url=urls.pooled,
        provider=_ACCOUNT,
        id=id_,
        direct_url=urls.direct if urls.direct != urls.pooled else None,
        key=start.settings.key,
        note="adopted: it is in your Neon account, and does not expire",
    ).in_scheme(start.settings.url_scheme)


def _record(settings: Settings, adopted: Database, *, replaces: Database | None) -> Database:
    """Write the database into the project's file.

    Args:
        settings: the project's.
        adopted: what is recorded from now on.
        replaces: what was recorded when this command began; None: nothing was.

    Returns:
        The database, with the file as its source.

    Raises:
        NeonupError: another database is recorded by now.
        EnvFileError: the file could not be written; it is as it was.
    """
    with project_lock(settings):
        recorded = recorded_database(settings)
        if not is_same(recorded, replaces):
            raise NeonupError(
                f"{settings.key} names another database by now. Nothing was written.",
                remedy="Try again.",
            )
        file = settings.env_file if recorded is None else Path(recorded.source)
        write_record(adopted, settings, file, replace=recorded is not None)
    return adopted.with_(source=str(file))
