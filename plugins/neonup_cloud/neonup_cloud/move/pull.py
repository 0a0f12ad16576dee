"""``neonup pull``: a database in the cloud into one on this machine, columns masked on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from neonup import (
    Database,
    DatabaseSpec,
    Provider,
    Settings,
    State,
    is_local,
    owner,
    urls,
)
from neonup.plugin import progress, provisioning
from neonup.plugin.project import (
    ENVIRONMENT,
    find_database,
    local_file,
    project_lock,
    provider_class,
    recorded_database,
    recorded_in,
)
from neonup_cloud.move import masks
from neonup_cloud.move.between import SOURCE, Moved, Pair, name_in, session
from neonup_cloud.move.errors import MoveError

_WHY_LOCAL = "neonup pull copies onto this machine"


@dataclass(frozen=True)
class Pulled:
    """What came of a pull.

    Args:
        database: the local database that has the data now.
        moved: what was moved.
        masked: the columns that were masked, as the settings name them.
        written: the file that names the database since this pull; None: it was there before.
    """

    database: Database
    moved: Moved
    masked: tuple[str, ...]
    written: Path | None


@dataclass
class Pull:
    """One pull of one project.

    Args:
        settings: the project's.
        origin: the URL to read; None: the one that ``.env`` names.
        force: whether what is in the local database may be removed.
    """

    settings: Settings
    origin: str | None = None
    force: bool = False

    def run(self) -> Pulled:
        """Copy the data. The source is only read, in a read-only transaction.

        Raises:
            NeonupError: it could not be done; the local database is as it was.
        """
        maskings = masks.read(self.settings)
        recorded = None if self.origin else self._recorded()
        source = recorded.direct if recorded else urls.direct(self.origin or "")
        own = [recorded.direct] if recorded and recorded.own else []
        with session(SOURCE, source, self.settings.pg_bin, own=bool(own)):
            pass  # it can be reached: else nothing is created here
        before = recorded_database(self.settings)
        target, provider, file = self._target(before)
        pair = Pair(
            source,
            target.direct,
            provider.explain_missing,
            self.settings.pg_bin,
            own=[*own, target.direct],
        )
        moved = pair.move(force=self.force, masks=maskings)
        if file is not None:
            named = name_in(file, target, self.settings, before=before)
            remarks = [*named, *self._shadowed()]
            moved = replace(moved, remarks=(*moved.remarks, *remarks))
        return Pulled(target, moved, tuple(maskings), file)

    def _recorded(self) -> Database:
        """The cloud database that the project uses.

        Raises:
            MoveError: there is none.
        """
        settings = self.settings
        in_file = recorded_in(settings.env_file, settings.key)
        for database in (find_database(settings), in_file):
            if database is not None and not is_local(database):
                return database
        raise MoveError(
            f"{settings.key} names no database in the cloud to copy from.",
            checked=[f"the environment and {settings.env_file}"],
            remedy="Name it: neonup pull --from URL",
        )

    def _shadowed(self) -> list[str]:
        """What to say where a variable of the shell's hides the file from the project."""
        database = find_database(self.settings)
        if database is None or database.source != ENVIRONMENT:
            return []
        return [f"{database.key} is set in the environment, which wins: unset {database.key}"]

    def _target(self, recorded: Database | None) -> tuple[Database, Provider, Path | None]:
        """The local database, answering; and the file that is to name it, where none does yet."""
        if recorded is not None and is_local(recorded):
            owner.check(self.settings, recorded, "copied into it")
            return *self._awake(recorded), None
        if recorded is None:
            file = self.settings.env_file
        elif (beside := local_file(self.settings)) is not None:
            file = beside
        else:
            raise MoveError(
                f"{self.settings.env_file} names the database in the cloud, and no file beside it "
                "is read where --env or env_file names one.",
                remedy="Name the file of a local database: neonup pull --env FILE --from URL",
            )
        provisioning.check_writable(file)
        return *self._created(file), file

    def _awake(self, database: Database) -> tuple[Database, Provider]:
        provider = provider_class(database.provider)(self.settings)
        state = provider.check(database)
        if state is State.STOPPED:
            with progress.work("Waking the local database"), project_lock(self.settings):
                woken = provider.wake(database)
                if woken.url != database.url:
                    provisioning.write_record(
                        woken, self.settings, Path(database.source), replace=True
                    )
            return woken, provider
        if state is not State.READY:
            raise MoveError(
                f"The local database in {database.source} is {state}.",
                remedy="`neonup` creates it again; then run this again.",
            )
        return database, provider

    def _created(self, file: Path) -> tuple[Database, Provider]:
        settings = self.settings
        if settings.provider != provisioning.AUTO and not provider_class(settings.provider).local:
            settings = replace(settings, provider=provisioning.AUTO)  # the setting is for the cloud
        provider, _ = provisioning.choose_provider(settings, local_only=_WHY_LOCAL)
        spec = DatabaseSpec(
            project=settings.project,
            key=settings.key,
            env_file=file,
            ref=settings.ref,
            logical_replication=settings.logical_replication,
        )
        with project_lock(settings), progress.work(f"Creating {provider.label}"):
            made = provider.provision(spec).with_(key=settings.key)
            return made.in_scheme(settings.url_scheme), provider
