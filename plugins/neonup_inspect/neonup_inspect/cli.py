"""``neonup inspect``."""

from __future__ import annotations

from typing import Any

import click

from neonup.plugin.commands import (
    Choice,
    answering,
    database_options,
    emit,
    json_option,
    start,
    wants_json,
)
from neonup_inspect.topics import TOPICS

_EPILOG = "\b\nTopics:\n" + "\n".join(
    f"  {topic.name.ljust(max(map(len, TOPICS)))}  {topic.question}" for topic in TOPICS.values()
)


@click.command(epilog=_EPILOG)
@database_options
@click.argument("topic", required=False, type=Choice([*TOPICS]), metavar="[TOPIC]")
@json_option
def inspect(topic: str | None, **arguments: Any) -> None:
    """Show what is worth a look in the database, worst first; with TOPIC, all of one kind.

    Each has its reason and the statement that mends it. Nothing is changed: catalogs and
    statistics are read, and no table of yours.
    """
    from neonup_inspect import report
    from neonup_inspect.inspection import inspect_url

    database = answering(start(**arguments))
    seen = inspect_url(
        database.direct,
        None if topic is None else [topic],
        own=database.own,
        provider=database.provider,
    )
    if wants_json():
        emit(report.as_data(seen, topic=topic is not None))
    else:
        report.show(seen, topic=topic is not None)
