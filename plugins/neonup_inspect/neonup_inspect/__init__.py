"""``neonup inspect``: what is worth a look in a Postgres database, and what mends it.

Needs the extra ``neonup[inspect]``. From Python::

    with psycopg.connect(url) as connection:
        for finding in neonup_inspect.inspect(connection).findings:
            print(finding.subject, finding.reason, finding.statement)

Nothing is loaded before it is used: the plugin's hooks are in this package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neonup_inspect.finding import DatabaseFinding, DatabaseReport, Thresholds, TopicReport
    from neonup_inspect.inspection import inspect, inspect_url
    from neonup_inspect.topics import TOPICS

__all__ = [
    "TOPICS", "DatabaseFinding", "DatabaseReport", "Thresholds", "TopicReport", "inspect",
    "inspect_url",
]  # fmt: skip

_MODULES = {
    **dict.fromkeys(
        ("DatabaseFinding", "DatabaseReport", "Thresholds", "TopicReport"), "neonup_inspect.finding"
    ),
    **dict.fromkeys(("inspect", "inspect_url"), "neonup_inspect.inspection"),
    "TOPICS": "neonup_inspect.topics",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
