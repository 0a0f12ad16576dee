"""A template's functions: found by their name, and called with the URL where they take one."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neonup import SettingsError


def call_by_name(name: str, url: str, root: Path) -> None:
    """Import ``module:function`` and call it, with the URL if it takes an argument.

    Raises:
        SettingsError: there is no such function.
    """
    call(load(name, root), url)


def load(name: str, root: Path) -> Callable[..., Any]:
    """Import ``module:function``.

    Raises:
        SettingsError: there is no such function.
    """
    module, _, attribute = name.partition(":")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))  # as for a command that is run there
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"neon_migrate = {name!r} cannot be found: {error}.",
            remedy="Give a command, or module:function.",
        ) from error
    if not callable(found):
        raise SettingsError(f"neon_migrate = {name!r} is not a function.")
    return found  # type: ignore[no-any-return]


def call(function: Callable[..., Any], url: str) -> None:
    """Call a function, with the URL if it takes an argument; what it returns may be awaited."""
    parameters = inspect.signature(function).parameters.values()
    takes = any(
        one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.VAR_POSITIONAL)
        and one.default is one.empty
        for one in parameters
    )
    result = function(url) if takes else function()
    if inspect.iscoroutine(result):
        asyncio.run(result)
