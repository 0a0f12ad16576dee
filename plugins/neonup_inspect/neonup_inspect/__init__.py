"""``neonup inspect``: what is worth a look in a Postgres database, and what mends it.

Needs the extra ``neonup[inspect]``. From Python::

    with psycopg.connect(url) as connection:
        for finding in neonup_inspect.inspect(connection).findings:
            print(finding.subject, finding.reason, finding.statement)

`topics` has the questions as data, `inspection` puts them to a server, and `report` prints what
it has answered.
"""

from __future__ import annotations

from neonup_inspect.finding import DatabaseFinding, DatabaseReport, Thresholds, TopicReport
from neonup_inspect.inspection import inspect, inspect_url
from neonup_inspect.topics import TOPICS

__all__ = [
    "TOPICS",
    "DatabaseFinding",
    "DatabaseReport",
    "Thresholds",
    "TopicReport",
    "inspect",
    "inspect_url",
]  # fmt: skip
