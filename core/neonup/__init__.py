"""A real Postgres database for any Python project, the moment it is needed.

What can be imported from here is public, for applications and for plugins alike. Nothing is loaded
before it is used, so that ``import neonup`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neonup import process as _process  # noqa: F401 - notes who imports neonup, before any fork

if TYPE_CHECKING:
    from neonup.arguments import Arguments
    from neonup.cli.output import confirm, emit, json_option, style, wants_json
    from neonup.clients import psql
    from neonup.clients.script import run_script
    from neonup.contributions import Command
    from neonup.database import (
        USER,
        ClaimOffer,
        ClaimProgress,
        Database,
        DatabaseSpec,
        Inspection,
        State,
    )
    from neonup.env.exposure import Exposure, exposures
    from neonup.errors import (
        ClaimInProgress,
        CreationForbidden,
        DatabaseClaimed,
        DatabaseExpired,
        DatabaseGone,
        EngineError,
        EnvFileError,
        ErrorDetails,
        NeonupError,
        ProviderError,
        ServiceError,
        SettingsError,
        SqlError,
    )
    from neonup.markers import hookimpl
    from neonup.options import Options, option
    from neonup.postgres import destination, drivers, effects, libpq, urls
    from neonup.provider import Provider
    from neonup.providers.registry import is_local, provider_label
    from neonup.settings import Settings, find_project, home, resolve
    from neonup.start import owner
    from neonup.start.ensure import aensure, ensure
    from neonup.start.failures import explain_failure
    from neonup.start.lookup import find
    from neonup.start.permission import is_development
    from neonup.start.sqlalchemy import sqlalchemy_url
    from neonup.start.version_service import checkpoint
    from neonup.versions import Restored, Version, VersionBranch, Versions

__all__ = [
    "USER", "Arguments", "ClaimInProgress", "ClaimOffer", "ClaimProgress", "Command",
    "CreationForbidden", "Database", "DatabaseClaimed", "DatabaseExpired", "DatabaseGone",
    "DatabaseSpec", "EngineError", "EnvFileError", "ErrorDetails", "Exposure", "Inspection",
    "NeonupError", "Options",
    "Provider", "ProviderError", "Restored", "ServiceError", "Settings", "SettingsError",
    "SqlError", "State", "Version", "VersionBranch", "Versions", "aensure", "checkpoint",
    "confirm", "destination", "drivers", "effects", "emit", "ensure", "explain_failure",
    "exposures", "find", "find_project", "home", "hookimpl", "is_development", "is_local",
    "json_option", "libpq", "option", "owner", "provider_label", "psql", "resolve", "run_script",
    "sqlalchemy_url", "style", "urls", "wants_json",
]  # fmt: skip

_NAMES = {
    "neonup.arguments": ("Arguments",),
    "neonup.cli.output": ("confirm", "emit", "json_option", "style", "wants_json"),
    "neonup.contributions": ("Command",),
    "neonup.database": (
        *("USER", "ClaimOffer", "ClaimProgress", "Database", "DatabaseSpec", "Inspection", "State"),
    ),
    "neonup.env.exposure": ("Exposure", "exposures"),
    "neonup.errors": (
        *(
            "ClaimInProgress",
            "CreationForbidden",
            "DatabaseClaimed",
            "DatabaseExpired",
            "DatabaseGone",
        ),
        *("EngineError", "EnvFileError", "ErrorDetails", "NeonupError"),
        *("ProviderError", "ServiceError", "SettingsError", "SqlError"),
    ),
    "neonup.markers": ("hookimpl",),
    "neonup.options": ("Options", "option"),
    "neonup.clients.script": ("run_script",),
    "neonup.provider": ("Provider",),
    "neonup.providers.registry": ("is_local", "provider_label"),
    "neonup.settings": ("Settings", "find_project", "home", "resolve"),
    "neonup.start.ensure": ("aensure", "ensure"),
    "neonup.start.lookup": ("find",),
    "neonup.start.permission": ("is_development",),
    "neonup.start.failures": ("explain_failure",),
    "neonup.start.sqlalchemy": ("sqlalchemy_url",),
    "neonup.start.version_service": ("checkpoint",),
    "neonup.versions": ("Restored", "Version", "VersionBranch", "Versions"),
}
"""The public names, by the module that defines them."""

_MODULES = {name: module for module, names in _NAMES.items() for name in names}

_PACKAGES = {
    **dict.fromkeys(("destination", "drivers", "effects", "libpq", "urls"), "neonup.postgres"),
    "owner": "neonup.start",
    "psql": "neonup.clients",
}
"""The packages of the public names that are modules."""


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{_PACKAGES[name]}.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("neonup")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
