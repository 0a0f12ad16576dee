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
        loaded: Any = importlib.import_module(module)
        for part in attribute.split("."):
            loaded = getattr(loaded, part)
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"neon_migrate = {name!r} cannot be found: {error}.",
            remedy="Give a command, or module:function.",
        ) from error
    if not callable(loaded):
        raise SettingsError(f"neon_migrate = {name!r} is not a function.")
    return loaded  # type: ignore[no-any-return]


def call(function: Callable[..., Any], url: str) -> None:
    """Call a function, with the URL if it takes an argument; what it returns may be awaited."""
    parameters = inspect.signature(function).parameters.values()
    takes = any(
        parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL)
        and parameter.default is parameter.empty
        for parameter in parameters
    )
    result = function(url) if takes else function()
    if inspect.iscoroutine(result):
        asyncio.run(result)
