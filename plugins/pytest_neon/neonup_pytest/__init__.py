"""neonup for pytest: a real database for every test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neonup_pytest.schema import Schema

__all__ = ["Schema"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # loaded when used: every pytest run imports this
        from neonup_pytest import schema

        return getattr(schema, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
