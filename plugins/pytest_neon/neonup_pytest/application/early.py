"""Connections before the first test: of an application when it is imported, or of a conftest.

Nothing runs then yet. So what connects in each driver is wrapped when the driver is imported, and
begins what is behind the URL first; from then on the driver is as it was.
"""

from __future__ import annotations

import functools
import importlib.util
import operator
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_CONNECT = {
    "psycopg": ("Connection.connect", "AsyncConnection.connect"),
    "psycopg2": ("connect",),
    "asyncpg": ("connect", "connection.connect"),
    "pg8000": ("core.CoreConnection.__init__",),  # of all its interfaces, imported or not yet
}
"""What connects, in each driver."""


class EarlyConnections(MetaPathFinder):
    """Calls back before the first connection, in whichever thread that is.

    Args:
        begin: what to do before it.
    """

    def __init__(self, begin: Callable[[], None]):
        self._begin = begin
        self._lock = threading.RLock()
        self._begun = False
        self._searched: set[str] = set()
        self._wrapped: list[tuple[Any, str, Any]] = []

    def watch(self) -> None:
        """Look at drivers from now on, those that were imported before included."""
        sys.meta_path.insert(0, self)
        for name in _CONNECT:
            if (module := sys.modules.get(name)) is not None:
                self._wrap_all(name, module)

    def end(self) -> None:
        """Leave the drivers as they were; only the first call does something."""
        with self._lock:
            self._begun = True
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            for owner, name, original in self._wrapped:
                setattr(owner, name, original)
            self._wrapped.clear()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders find, for a driver, with its functions wrapped once it is loaded.

        https://docs.python.org/3/reference/import.html#the-meta-path
        """
        if fullname not in _CONNECT or fullname in self._searched:
            return None
        self._searched.add(fullname)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            self._wrap_all(fullname, module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _wrap_all(self, driver: str, module: ModuleType) -> None:
        for place in _CONNECT[driver]:
            owner, _, name = place.rpartition(".")
            try:
                self._wrap(operator.attrgetter(owner)(module) if owner else module, name)
            except (AttributeError, KeyError):
                continue  # another version of the driver, or a part that was not imported
        if driver == "psycopg":  # a method that is bound to the class as it was
            self._wrapped.append((module, "connect", module.connect))
            module.connect = module.Connection.connect  # type: ignore[attr-defined]

    def _wrap(self, owner: Any, name: str) -> None:
        original = vars(owner)[name]
        is_method = isinstance(original, classmethod)
        function = original.__func__ if is_method else original

        @functools.wraps(function)
        def connect(*args: Any, **kwargs: Any) -> Any:
            self._before()
            return function(*args, **kwargs)

        self._wrapped.append((owner, name, original))
        setattr(owner, name, classmethod(connect) if is_method else connect)

    def _before(self) -> None:
        with self._lock:  # a pool connects in several threads
            if not self._begun:
                self._begun = True  # what begins may connect as well
                try:
                    self._begin()
                finally:
                    self.end()
