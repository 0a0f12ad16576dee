"""The Postgres that tests run on: one of our own, or one that was given."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from neonup import urls
from neonup_pytest.servers.admin import Admin


class RunServer(Protocol):
    """What the plugin asks of a server. All its processes of a run share it."""

    owner: str
    """The role that tests connect as."""

    provider: str
    """The provider whose kind of Postgres it is, to explain what it lacks."""

    @property
    def identity(self) -> str:
        """Tells servers apart on which one template cannot serve for the other."""

    @property
    def data(self) -> Path | None:
        """Its data directory; None if it is not on this machine, or not ours to write to."""

    def url(self, database: str) -> urls.PostgresUrl:
        """Where a database of it is or will be; known before the server runs."""

    def start(self, *, sure: bool = False) -> None:
        """See to it that it runs; only the first call does something.

        Args:
            sure: whether to try a connection as well, after one was lost.

        Raises:
            EngineError: it cannot be started, or reached.
        """

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold what one process at a time may do: looking for templates, and making them."""

    def connect(self) -> Admin:
        """A connection that may create and drop databases."""

    def allowance(self, size: int) -> int:
        """How many databases of ``size`` bytes may wait to be dropped."""

    def made_here(self, template: str) -> bool:
        """Whether a process of this run has made a template."""

    def used(self, template: str) -> None:
        """A template that was there is used."""

    def saved(self, template: str) -> None:
        """A template was made: keep it for the next runs, now or at the end."""

    def keep(self, database: str, test: str, error: str | None) -> None:
        """Let a database outlive the run.

        Args:
            database: its name.
            test: the id of the test whose it was.
            error: why that failed, in short; None: it did not.
        """

    def last_lines(self) -> list[str]:
        """What it wrote last into its log, as far as that can be read."""

    def leave(self) -> None:
        """This process needs it no more."""
