"""The one project that a server is for, and its database."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio.to_thread
from pydantic import Field

from neonup import (
    USER,
    Arguments,
    Database,
    DatabaseGone,
    NeonupError,
    Settings,
    State,
    VersionBranch,
    Versions,
    destination,
    libpq,
    resolve,
    urls,
)
from neonup.plugin.project import (
    Start,
    check_enabled,
    check_owner,
    find_database,
    project_lock,
    versions_of,
)

SIGN = "neonup mcp, which a person's editor has started"
"""An editor runs where somebody develops; what a hosting platform or CI sets still forbids."""

Branch = Annotated[
    str | None, Field(description="A branch's name or id; the database itself if omitted.")
]
"""The argument with which a tool is pointed to a branch."""


@dataclass(frozen=True)
class ServedProject:
    """A project's folder, and which of its databases is meant.

    The settings and files are read at each call, since they change while the server runs.

    Args:
        folder: the project's folder.
        arguments: settings from the command line.
        allow_remote: whether a database that neonup did not create may be on another machine.
    """

    folder: Path
    arguments: Arguments
    allow_remote: bool = False

    @property
    def settings(self) -> Settings:
        """The project's settings as they are now."""
        return resolve(self.folder, **self.arguments)

    def start(self, *, create: bool = False) -> Start:
        """A start on behalf of the agent; nobody can be asked anything.

        Args:
            create: whether there may be a new database: only where the agent asked for one.
        """
        return Start(self.settings, sign=SIGN, quiet=True, create=create)

    def recorded(self) -> Database:
        """The database as recorded, unchecked.

        Raises:
            NeonupError: there is none.
        """
        settings = self.settings
        database = find_database(settings)
        if database is None:
            raise NeonupError(
                f"There is no {settings.key} for {settings.project}.",
                checked=[f"the environment and {settings.env_file}"],
                remedy="The tool get_database creates one, with create=true.",
            )
        return database

    def answering(self) -> Database:
        """The database, woken if need be; it must have been created before.

        Raises:
            NeonupError: there is none, it cannot be woken, or this server may not use it.
        """
        self._check_place(self.recorded())
        return self.existing()

    def existing(self) -> Database:
        """The database, woken if need be, wherever it is; nothing is created.

        Raises:
            NeonupError: there is none, it is lost or expired, or it cannot be woken.
        """
        self.recorded()
        try:
            return self.start().run()
        except DatabaseGone as error:
            error.remedy = "The tool get_database creates a new one, with create=true."
            raise

    def _check_place(self, database: Database) -> None:
        if database.provider != USER or self.allow_remote:
            return
        far = next(filter(None, map(destination.elsewhere, (database.direct, database.url))), None)
        if far is not None:
            raise NeonupError(
                f"{database.key} is a database on {far} that neonup did not create, and this "
                "server leaves such databases alone.",
                checked=[f"it is from {database.source}"],
                remedy="Start `neonup mcp` with --allow-remote to use it nevertheless.",
            )

    def check_owner(self, lost: str) -> None:
        """Refuse to change another folder's database; ``neonup mcp --of FOLDER`` permits it.

        Args:
            lost: what would happen to the data, e.g. ``deleted``.

        Raises:
            NeonupError: it is another folder's.
        """
        check_owner(self.settings, self.recorded(), lost)

    def url(self, branch: str | None = None, *, pooled: bool = False, writes: bool = False) -> str:
        """The URL of the database, or of one of its branches.

        Args:
            branch: a branch's name or id; None: the database itself.
            pooled: the URL as it is, through a pooler where there is one; else the direct one.
            writes: whether this server is about to write there.

        Raises:
            NeonupError: as `answering`; there is no such branch; or it is another folder's database
                and must not be written to.
        """
        if writes:
            self.check_owner("written")
        database = self.answering()
        if branch is not None:
            database = self._awake(database, self.branch(branch))
        return database.url if pooled else database.direct

    def _awake(self, database: Database, branch: VersionBranch) -> Database:
        """A branch as a database that answers: its server may have been idle for long."""
        start = self.start()
        provider = start.provider(database)
        awake = Database(branch.url, database.provider, id=branch.id, key=database.key)
        if start.settings.enabled and provider.check(awake) is State.STOPPED:
            with project_lock(start.settings):
                awake = provider.wake(awake)
        return awake

    async def reach(self, branch: str | None = None, *, writes: bool = False) -> str:
        """As `url`, in a thread; complete, so that it is connected to without ``PGSERVICE``."""
        return await anyio.to_thread.run_sync(partial(self._complete, branch, writes=writes))

    def _complete(self, branch: str | None, *, writes: bool) -> str:
        url = self.url(branch, writes=writes)
        return libpq.hardened(url) if self.recorded().own else with_service(url)

    def versions(self) -> Versions:
        """The database's versions.

        Raises:
            NeonupError: as `answering`; or its provider keeps none.
        """
        return versions_of(self.settings, self.answering())

    def changeable_versions(self) -> Versions:
        """As `versions`, for a tool that adds or deletes one, or a branch.

        Raises:
            NeonupError: as `versions`; or ``NEONUP=off`` forbids it.
        """
        check_enabled(self.settings)
        return self.versions()

    def branch(self, name: str) -> VersionBranch:
        """A branch by its name or id.

        Raises:
            NeonupError: there is no such branch.
        """
        branches = self.versions().branches()
        for branch in branches:
            if name in (branch.id, branch.name):
                return branch
        raise NeonupError(
            f"There is no branch {name!r}.",
            checked=[f"branches: {', '.join(other.name for other in branches) or 'none'}"],
        )


def with_service(url: str) -> str:
    """The URL with what a service adds to it, so that the service itself can be left out.

    Raises:
        SettingsError: the service that it or ``PGSERVICE`` names cannot be looked up.
    """
    place = urls.parse(url)
    others = {*libpq.VARIABLES.values()} - {libpq.VARIABLES["service"]}
    variables = {name: value for name, value in os.environ.items() if name not in others}
    if "service" not in place.parameters and libpq.VARIABLES["service"] not in variables:
        return url
    parameters = libpq.parameters(place, variables)
    return str(urls.parse(f"postgresql://?{urls.encode_query(parameters)}"))
