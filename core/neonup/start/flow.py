"""The whole story, top to bottom: from settings to a database that answers and is announced.

1 resolve the settings, 2 find what exists, 3 check it, 4 provision where there is nothing,
5 write ``.env`` and set ``os.environ``, 6 announce.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from neonup.database import USER, Creation, Database, State
from neonup.errors import CreationForbidden
from neonup.providers.registry import ProviderNotInstalled, provider_class
from neonup.settings import Settings
from neonup.start import announce, lookup, ready

if TYPE_CHECKING:
    from neonup.provider import Provider

CLAIMED = (
    "It has been claimed and belongs to its owner's account. If it rejects the password: "
    "`neonup adopt`, signed in to that account, renews the URL"
)
REVOKED = (
    "Its password is dead: somebody has begun to claim it. Once they have finished, `neonup adopt` "
    "renews the URL; if they do not, `neonup claim` gives a new code"
)


class Start:
    """One start of one project.

    Args:
        settings: what was asked for.
        sign: what says that this is development; None lets the flow look for itself.
        against: what says that it is not.
        local_only: why only a database on this machine may be created; None if any may.
        create: whether there may be a new database; False for whoever only reads.
        confirm: asks the user a question; None if nobody can answer.
        quiet: whether the caller tells of the database itself.
    """

    owner: Path | None = None
    """The other folder whose database a start found; None: it is this folder's own."""

    def __init__(
        self,
        settings: Settings,
        sign: str | None = None,
        against: str | None = None,
        local_only: str | None = None,
        *,
        create: bool = True,
        confirm: Callable[[str], bool] | None = None,
        quiet: bool = False,
    ):
        self.settings = settings
        self.sign, self.against, self.local_only = sign, against, local_only
        self.create, self.confirm, self.quiet = create, confirm, quiet
        self.remarks: list[str] = []
        """What else the caller or the banner should say."""

    def run(self, *, force: bool = False) -> Database:
        """The steps in order; ``force`` creates a new database in place of an existing one."""
        database = lookup.find_database(self.settings)
        if database is not None and self.settings.variables:  # what it is now counts as neonup's
            lookup.publish(self.settings, database, os.environ)
        if database is not None and force:
            lookup.check_replaceable(database)
            database = self.follow_git(database)  # else another git branch's would be replaced
            database = self._create(Creation.REPLACE, database, need=lookup.instead(database))
        else:
            database = self._settled(database)
        if not database.created:  # else that was done before the lock was given back
            self.remarks += lookup.publish(self.settings, database, os.environ)
            if self.settings.variables or self.settings.url_scheme:
                from neonup.start import renewal  # what has not changed needs it not

                self.remarks += renewal.refresh(self.settings, database)
            if not self.quiet and (failed := self.migrate(database)):
                self.remarks.append(failed)
            self._announce(database)
        return database

    def migrate(self, database: Database) -> str | None:
        """Run what ``migrate_on = "start"`` asks for in development; returns what failed."""
        is_due = self.settings.migrate_on == "start" and not database.created
        if not is_due or database.provider == USER or ready.is_running():
            return None
        from neonup.start import migrations, permission

        try:
            permission.ask(self.settings, self.sign, against=self.against, environ=os.environ)
        except CreationForbidden:
            return None
        return migrations.at_start(self.settings, database)

    def _settled(self, database: Database | None) -> Database:
        """What was found, once it answers; or a new one where nothing was."""
        return self._create() if database is None else self._check(database)

    def provider(self, database: Database) -> Provider:
        """The provider that a database says created it."""
        return provider_class(database.provider)(self.settings)

    def reset(self, database: Database) -> Database:
        """A fresh database in place of this one, under the same URL where the provider can.

        Raises:
            CreationForbidden: none may be created here; the old one is as it was.
            NeonupError: it is another folder's.
        """
        from neonup.start import owner

        owner.check(self.settings, database, "deleted")
        return self._create(Creation.RESET, database, need=lookup.instead(database))

    def fork(self, database: Database) -> Database:
        """A database of this folder's own, with a copy of the data of another folder's.

        Args:
            database: the other folder's, which stays as it is.

        Raises:
            CreationForbidden: none may be created here.
            SettingsError: its URL is in the environment, where it cannot be replaced.
            NeonupError: it could not be copied; ``.env`` is as it was.
        """
        lookup.check_replaceable(database)
        return self._create(Creation.FORK, database)

    # 3 check

    def _check(self, database: Database) -> Database:
        """The database once it answers: woken, created again or replaced as need be."""
        if database.provider == USER or not self.settings.enabled:
            return database.with_(note=CLAIMED) if database.before_claim else database
        try:
            provider = self.provider(database)
        except ProviderNotInstalled as missing:
            from neonup.start import other_environment

            other_environment.require_answer(database, missing)
            return self._finish_pending(database)
        if lookup.is_recorded_here(self.settings, database):
            return self._answering(provider, database)
        return self._check_owner(provider, database)

    def _check_owner(self, provider: Provider, database: Database) -> Database:
        """As `_check`, in a folder that is not known to own the database: moved, or copied.

        In a worktree of the owner's repository the folder gets a copy of its own.
        """
        from neonup.start import owner

        other = owner.settle(self.settings, database)
        follows = provider.local or self.settings.git_branches  # elsewhere each copy has a price
        may_fork = self.create and provider.copies and follows
        if other and may_fork and owner.may_fork_by_itself(self.settings, database, other):
            with contextlib.suppress(CreationForbidden):
                return self.fork(database)
        answering = self._answering(provider, database)
        if other is None or answering.created:
            return answering
        self.owner = other
        note = "; ".join(filter(None, [answering.note, owner.words(other)]))
        return answering.with_(note=note)

    def _answering(self, provider: Provider, database: Database) -> Database:
        database = self.follow_git(database, provider)
        state = provider.check(database)
        if state is State.READY:
            return self._finish_pending(database)
        if state in (State.EXPIRED, State.CLAIMING, State.REVOKED):
            return self._asked(provider, database, state)
        if state is State.CLAIMED:
            return self._claimed(database, database)
        if state is State.MISSING:
            lost = f"The {database.provider} database in {database.source} is not on this machine"
            return self._create(recorded=database, need=lost)
        return self._wake(provider, database)

    def follow_git(self, database: Database, provider: Provider | None = None) -> Database:
        """The database with the data of the git branch that is checked out, where that is set."""
        if not self.settings.git_branches or database.provider == USER:
            return database
        from neonup.start import checkout  # only where the setting is on

        return checkout.follow(
            self.settings,
            provider or self.provider(database),
            database,
            sign=self.sign,
            against=self.against,
            local_only=self.local_only,
            remark=self._remark,
        )

    def _remark(self, text: str) -> None:
        """Say something now: a reloaded server has no banner any more; a command says it later."""
        if not self.quiet:
            announce.remark(text, self.settings)
            return
        self.remarks.append(text)
        if announce.is_terminal():  # of a command that only reads
            announce.tell(text)

    def _finish_pending(self, database: Database) -> Database:
        """Do what is still due for a new database: another process is at it, or was killed."""
        if not ready.is_pending(self.settings):
            return database
        with self._locked():
            now = lookup.find_database(self.settings)
            if now is None or not lookup.is_same(now, database):
                return self._settled(now)
            if ready.is_pending(self.settings):
                lookup.publish(self.settings, now, os.environ)
                ready.run(self.settings, now, created=True)
            return now

    def _wake(self, provider: Provider, database: Database) -> Database:
        from neonup import progress  # a database that runs needs it not

        with self._locked():
            now = lookup.find_database(self.settings)  # another start may have moved it
            if now is None or not lookup.is_same(now, database):
                return self._settled(now)
            if provider.check(now) is not State.STOPPED:
                return self._check(now)
            with progress.work("Waking the database"):
                woken = provider.wake(now)
            if woken.url != now.url:
                self._renew(now, woken)
            lookup.publish(self.settings, woken, os.environ)
            ready.run(self.settings, woken, created=False)
            return woken

    def _locked(self) -> AbstractContextManager[None]:
        from neonup.env import lock  # what is ready needs none

        return lock.project(self.settings)

    def _asked(self, provider: Provider, database: Database, state: State) -> Database:
        """Perhaps claimed, or prolonged; else it stays, or is replaced, or it is an error."""
        from neonup.start import expiry

        seen = expiry.inspected(provider, database)
        if seen.state is State.CLAIMED:
            return self._claimed(database, seen.database)
        if State.REVOKED in (seen.state, state):  # somebody may still finish the claim
            return database.with_(note=REVOKED)
        if state is State.CLAIMING:
            return self._finish_pending(database)
        if seen.state is State.READY:
            return self._renew(database, seen.database)
        message = expiry.message(database)
        if self.create and (
            self.settings.on_expiry == "replace"
            or (self.confirm and self.confirm(f"{message} Replace it with a new one?"))
        ):
            return self._create(recorded=database, need=message.rstrip("."))
        raise expiry.error(database, seen)

    def _renew(self, known: Database, changed: Database) -> Database:
        """Record what changed about a database; where another one is recorded now, that one."""
        from neonup.start.renewal import renew  # what has not changed needs it not

        if renew(self.settings, known, changed):
            return changed
        return self._settled(lookup.find_database(self.settings))

    def _claimed(self, known: Database, now: Database) -> Database:
        """Record that it was claimed, so that it counts as the owner's from now on."""
        renewed = self._renew(known, now.claimed())
        return renewed.with_(note=CLAIMED) if renewed.before_claim else renewed

    # 4 provision and 5 write

    def _create(
        self,
        creation: Creation = Creation.IF_NEEDED,
        recorded: Database | None = None,
        *,
        need: str | None = None,
    ) -> Database:
        from neonup.start import permission, provision  # a database that exists needs neither

        if not self.create:
            raise permission.refusal(self.settings, need)
        allowed = provision.allow(self.settings, self.sign, against=self.against, need=need)
        with self._locked():
            outcome = provision.create(
                self.settings,
                creation,
                recorded,
                local_only=self.local_only or allowed.local_only,
                remark=self._remark,
            )
            self.remarks += outcome.remarks
            if outcome.database.created:
                self._announce(outcome.database)  # before a process that waits can say "found"
        return outcome.database if outcome.created else self._check(outcome.database)

    # 6 announce

    def _announce(self, database: Database) -> None:
        if not self.quiet:
            announce.banner(database, self.settings, self.remarks)
