"""neonup for pytest: a real database for every test."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neonup_pytest.neon_server import NeonServer
    from neonup_pytest.provider_suite import ProviderContract
    from neonup_pytest.schema import Schema

__all__ = ["NeonServer", "ProviderContract", "Schema"]

_HOME = {
    "NeonServer": "neon_server",
    "ProviderContract": "provider_suite",
    "Schema": "schema",
}
"""The module that defines each public name; loaded when used: every pytest run imports this."""


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"neonup_pytest.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
