"""The versions of a project's database, by whatever provider keeps them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from neonup.database import USER, Database
from neonup.errors import NeonupError
from neonup.providers.registry import provider_class
from neonup.settings import Settings, resolve
from neonup.start import announce, checkout, lookup, owner, permission
from neonup.start.flow import Start
from neonup.start.renewal import renew
from neonup.versions import Restored, Version, Versions

if TYPE_CHECKING:
    from neonup.arguments import Arguments

_SIGN = "a command about versions"


def versions_of(settings: Settings, database: Database | None) -> Versions:
    """The versions of a project's database, which has the data of the git branch checked out.

    With ``NEONUP=off`` it keeps the data that it has, and nothing is recorded.

    Args:
        database: its database as recorded; None: it has none.

    Raises:
        NeonupError: there is no database, it is the user's own, or its provider keeps no versions.
    """
    if database is None:
        raise NeonupError(
            f"There is no {settings.key} for {settings.project}, so there are no versions of it.",
            checked=[f"the environment and {settings.env_file}"],
            remedy="`neonup` creates a database.",
        )
    if database.provider == USER:
        raise NeonupError(
            f"{database.key} is your own database, which neonup keeps no versions of.",
            checked=[f"it is from {database.source}"],
            remedy="Databases that neonup created have versions: on this machine, and in your "
            "account at Neon.",
        )
    provider = provider_class(database.provider)(settings)
    if settings.enabled and not lookup.is_recorded_here(settings, database):
        owner.settle(settings, database)  # a folder that was moved takes its database along
    if settings.enabled and settings.git_branches:
        database = checkout.follow(settings, provider, database, sign=_SIGN)
    versions = provider.versions(database)
    if versions is None:
        claim = " `neonup claim` takes this one into your account." if database.claim_url else ""
        raise NeonupError(
            f"There are no versions of a {database.provider} database.",
            checked=[f"{database.key} from {database.source}"],
            remedy=f"Databases on this machine and in your account at Neon have them.{claim}",
        )
    return versions


def restore(settings: Settings, versions: Versions, wanted: Version | datetime) -> Restored:
    """Bring the project's database back to a version, or to a moment of its history.

    Args:
        versions: of its database, as `versions_of` found them.
        wanted: the version; or the moment, aware.

    Raises:
        NeonupError: it is another folder's database, ``NEONUP=off`` forbids it, or it failed, and
            the database is as it was; or ``.env`` could not be written afterwards, and the database
            is found all the same.
    """
    permission.check_enabled(settings)
    check_owner(settings, "brought back")
    database = lookup.recorded(settings)
    done = versions.restore(wanted) if isinstance(wanted, Version) else versions.restore_to(wanted)
    if done.database_id is not None and database is not None and database.id != done.database_id:
        renew(settings, database, database.with_(id=done.database_id))  # e.g. on another branch
    now = Start(settings, sign=_SIGN, create=False, quiet=True).run()
    if now.note:  # its port was taken meanwhile, so that the URL is another one
        announce.remark(now.note, settings)
    return done


def check_owner(settings: Settings, lost: str) -> None:
    """Refuse as `neonup.start.owner.check` to change another folder's database or its versions."""
    database = lookup.find_database(settings)
    if database is not None:
        owner.check(settings, database, lost)


def checkpoint(
    name: str | None = None,
    *,
    automatic: bool = False,
    project: Path | str | None = None,
    **arguments: Unpack[Arguments],
) -> Version:
    """Keep the project's database as it is now, e.g. before its schema is changed.

    ``neonup undo`` goes back to it.

    Args:
        name: what a person will call it; one made of the time if None.
        automatic: whether it was not a person's wish: only the newest few of these are kept.
        project: the project's folder; found from the current one where it is None.
        arguments: settings, as of `neonup.ensure`.

    Raises:
        NeonupError: there is no database that neonup keeps versions of, ``NEONUP=off`` forbids it,
            or it failed; the database is as it was.
    """
    settings = resolve(project, **arguments)
    permission.check_enabled(settings)
    versions = versions_of(settings, lookup.find_database(settings))
    return versions.checkpoint(name, automatic=automatic)
