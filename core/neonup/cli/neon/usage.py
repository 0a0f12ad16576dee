"""``usage``: what a project has consumed."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import cast

import click

from neonup.cli import output
from neonup.cli.neon import reach
from neonup.errors import NeonupError
from neonup.neon.answers import Granularity

_SPANS = {"hourly": timedelta(days=1), "daily": timedelta(days=7), "monthly": timedelta(days=365)}
"""How far back each granularity is told; within what Neon keeps."""


@click.command()
@reach.project_option
@click.option(
    "--granularity", type=click.Choice(sorted(_SPANS)), default="daily", show_default=True
)
@output.json_option
def usage(project: str | None, granularity: str) -> None:
    """Show what the project has consumed; that wakes nothing."""
    id_ = reach.project_id(project)
    now = datetime.now(UTC)
    with reach.neon() as neon:
        found = neon.projects.get(id_)
        if found.org_id is None:
            raise NeonupError(f"The project {id_} belongs to no organization; Neon tells no usage.")
        told = list(
            neon.consumption.projects(
                org_id=found.org_id,
                start=now - _SPANS[granularity],
                end=now,
                granularity=cast("Granularity", granularity),
                project_ids=[id_],
            )
        )
    if output.wants_json():
        output.emit(reach.plain(told))
        return
    spans: dict[datetime, dict[str, float]] = defaultdict(dict)
    for one in told:
        for period in one.periods:
            for frame in period.consumption:
                spans[frame.timeframe_start] |= {m.metric_name: m.value for m in frame.metrics}
    names = sorted({name for values in spans.values() for name in values})
    output.rows(
        ("from", *names),
        ((reach.shown(start), *map(values.get, names)) for start, values in sorted(spans.items())),
    )
