"""Django's test databases, from the cached template: under pytest-django and ``manage.py test``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neonup_pytest.django.runner import NeonRunner, TestRunnerMixin

__all__ = ["NeonRunner", "TestRunnerMixin"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # Django's test runner is loaded by who uses it
        from neonup_pytest.django import runner

        return getattr(runner, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
