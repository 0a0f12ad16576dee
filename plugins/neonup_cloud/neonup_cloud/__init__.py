"""Neon's API v2: `NeonClient` and `AsyncNeonClient`, its answers, and its errors by meaning.

with NeonClient() as neon:
    created = neon.projects.create(name="shop")
    neon.operations.wait(created.operations)
    for project in neon.projects.list():
        print(project.id, project.name)

Nothing is loaded before it is used: the plugin's hooks are below this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neonup_cloud.account.temporary import TemporaryBranch
    from neonup_cloud.api import answers, claims, errors
    from neonup_cloud.api.client import AsyncNeonClient, NeonClient
    from neonup_cloud.move.errors import MoveError

__all__ = [
    "AsyncNeonClient",
    "MoveError",
    "NeonClient",
    "TemporaryBranch",
    "answers",
    "claims",
    "errors",
]

_MODULES = {
    "AsyncNeonClient": "neonup_cloud.api.client",
    "MoveError": "neonup_cloud.move.errors",
    "NeonClient": "neonup_cloud.api.client",
    "TemporaryBranch": "neonup_cloud.account.temporary",
}


def __getattr__(name: str) -> Any:
    if name in {"answers", "claims", "errors"}:
        return import_module(f"neonup_cloud.api.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
