"""A real Postgres database for any Python project, the moment it is needed.

What can be imported from here is public, for applications and for plugins alike. Nothing is loaded
before it is used, so that ``import neonup`` costs next to nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neonup import drivers, psql, urls
    from neonup.cli.output import confirm, emit, json_option, style, wants_json
    from neonup.database import Database, DatabaseSpec, Inspection, State
    from neonup.drivers import sqlalchemy_url
    from neonup.errors import (
        CreationForbidden,
        DatabaseClaimed,
        DatabaseExpired,
        DatabaseGone,
        EngineError,
        EnvFileError,
        NeonupError,
        ProviderError,
        ServiceError,
        SettingsError,
        SqlError,
    )
    from neonup.flow import aensure, ensure
    from neonup.git import is_published
    from neonup.lookup import find
    from neonup.markers import hookimpl
    from neonup.permission import is_development
    from neonup.providers import is_local
    from neonup.providers.base import Provider
    from neonup.script import run_script
    from neonup.settings import Arguments, Settings, find_project, home, resolve

__all__ = [
    "Arguments",
    "CreationForbidden",
    "Database",
    "DatabaseClaimed",
    "DatabaseExpired",
    "DatabaseGone",
    "DatabaseSpec",
    "EngineError",
    "EnvFileError",
    "Inspection",
    "NeonupError",
    "Provider",
    "ProviderError",
    "ServiceError",
    "Settings",
    "SettingsError",
    "SqlError",
    "State",
    "aensure",
    "confirm",
    "drivers",
    "emit",
    "ensure",
    "find",
    "find_project",
    "home",
    "hookimpl",
    "is_development",
    "is_local",
    "is_published",
    "json_option",
    "psql",
    "resolve",
    "run_script",
    "sqlalchemy_url",
    "style",
    "urls",
    "wants_json",
]

_IMPORTED_BY = os.getpid()
"""The process that imported this; a server's forked workers are other ones. See `neonup.starts`."""

_HOME = {
    "Database": "neonup.database",
    "DatabaseSpec": "neonup.database",
    "Inspection": "neonup.database",
    "State": "neonup.database",
    "CreationForbidden": "neonup.errors",
    "DatabaseClaimed": "neonup.errors",
    "DatabaseExpired": "neonup.errors",
    "DatabaseGone": "neonup.errors",
    "EngineError": "neonup.errors",
    "EnvFileError": "neonup.errors",
    "NeonupError": "neonup.errors",
    "ProviderError": "neonup.errors",
    "ServiceError": "neonup.errors",
    "SettingsError": "neonup.errors",
    "SqlError": "neonup.errors",
    "confirm": "neonup.cli.output",
    "emit": "neonup.cli.output",
    "json_option": "neonup.cli.output",
    "style": "neonup.cli.output",
    "wants_json": "neonup.cli.output",
    "is_published": "neonup.git",
    "find": "neonup.lookup",
    "aensure": "neonup.flow",
    "ensure": "neonup.flow",
    "hookimpl": "neonup.markers",
    "is_development": "neonup.permission",
    "is_local": "neonup.providers",
    "Provider": "neonup.providers.base",
    "Arguments": "neonup.settings",
    "Settings": "neonup.settings",
    "find_project": "neonup.settings",
    "home": "neonup.settings",
    "resolve": "neonup.settings",
    "run_script": "neonup.script",
    "sqlalchemy_url": "neonup.drivers",
}
"""The module that defines each public name."""


def __getattr__(name: str) -> Any:
    if name in {"drivers", "psql", "urls"}:
        return import_module(f"neonup.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("neonup")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
