"""What is worth a look in the database, as ``neonup inspect`` finds it."""

from __future__ import annotations

from starlette.responses import Response

import neonup_inspect
from neonup_inspect import cells
from neonup_studio.visit import NoSuchPage, Pages, Visit, shows


def routes() -> Pages:
    """The findings, and one topic's table."""
    return [
        ("GET", "inspect", shows(_findings)),
        ("GET", "inspect/{topic}", shows(_topic)),
    ]


def _findings(visit: Visit) -> Response:
    with visit.reading() as connection:
        report = neonup_inspect.inspect(connection, provider=visit.place.provider)
    return visit.show("inspect.html", "inspect", report=report, topics=neonup_inspect.TOPICS)


def _topic(visit: Visit) -> Response:
    name = visit.part("topic")
    if name not in neonup_inspect.TOPICS:
        raise NoSuchPage
    with visit.reading() as connection:
        report = neonup_inspect.inspect(connection, [name], provider=visit.place.provider)
    return visit.show(
        "inspect_topic.html",
        "inspect",
        report=report,
        topic=report.topics[0],
        topics=neonup_inspect.TOPICS,
        cells=cells,
    )
