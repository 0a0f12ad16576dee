"""The data that new projects begin with: each engine's template, and prepared copies of it.

bases/<engine>    a template, as this local Neon keeps it while a project needs it
spares/<engine>   prepared copies of it
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
from datetime import datetime
from pathlib import Path

from neonup_emulator.neon.data import history
from neonup_emulator.neon.data.model import Base
from neonup_local.engine import account as accounts
from neonup_local.engine import template
from neonup_local.engine.binaries import Engine
from neonup_local.service import home as homes
from neonup_local.service import stock

SPARES = 3
"""Prepared copies of each template; refilled in the background."""


class TemplateCopies:
    """The templates of one local Neon.

    Args:
        home: neonup's own folder.
        folder: where the local Neon keeps its own.
    """

    def __init__(self, home: Path, folder: Path):
        self._home = home
        self._bases = folder / "bases"
        self._spares = folder / "spares"
        self.used: set[str] = set()
        """The templates that this process has used."""
        self._sizes: dict[str, int] = {}
        self._filling = threading.Lock()
        self._copying = threading.Lock()

    def folder(self, engine: Engine) -> Path:
        """An engine's template, which is copied from the home's at first.

        Raises:
            EngineError: it cannot be created or copied.
        """
        folder = self._bases / f"{engine.id}-{template.FORM}"
        with self._copying:
            self.used.add(folder.name)
            if not folder.is_dir():
                account = accounts.for_new_data()
                making = folder.with_name(f".making-{secrets.token_hex(4)}")
                template.copy(stock.prepare(self._home, engine, account), making, account)
                making.rename(folder)
        return folder

    def base(self, engine: Engine, at: datetime) -> Base:
        """The base of every cluster that begins with the template."""
        folder = self.folder(engine)
        shown = at.replace(microsecond=at.microsecond // 1000 * 1000)  # as the API tells it
        return Base(folder.name, shown, history.first_segment(folder))

    def size(self, engine: Engine) -> int:
        """Bytes of a new cluster's data."""
        if engine.id not in self._sizes:
            paths = (self.folder(engine) / "base").rglob("*")
            self._sizes[engine.id] = sum(path.stat().st_size for path in paths if path.is_file())
        return self._sizes[engine.id]

    def copy(self, name: str, target: Path) -> None:
        """Copy a template to a place that does not exist, by way of a folder beside it.

        Args:
            name: the template's.
            target: the data directory to be.

        Raises:
            EngineError: it cannot be copied.
        """
        making = target.with_name(".making")
        shutil.rmtree(making, ignore_errors=True)
        template.copy(self._bases / name, making, accounts.for_new_data())
        making.rename(target)

    def take_spare(self, name: str, target: Path) -> bool:
        """Let a prepared copy become a data directory; False where there is none."""
        for spare in (self._spares / name).glob("spare-*"):
            with contextlib.suppress(FileNotFoundError):  # taken by another thread
                spare.rename(target)
                return True
        return False

    def fill(self, engine: Engine) -> None:
        """Prepare copies until there are enough; at once where another thread is doing so."""
        if not self._filling.acquire(blocking=False):
            return
        try:
            folder = self._spares / f"{engine.id}-{template.FORM}"
            homes.make_folder(folder)
            for leftover in folder.glob(".making-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            while len(list(folder.glob("spare-*"))) < SPARES:
                name = secrets.token_hex(4)
                making = folder / f".making-{name}"
                template.copy(self.folder(engine), making, accounts.for_new_data())
                making.rename(folder / f"spare-{name}")
        finally:
            self._filling.release()
