"""``usage``: what projects consume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from neonup.plugin import commands
from neonup_cloud.cli import target
from neonup_cloud.cli.consumption import PERIODS, figures, last_periods

if TYPE_CHECKING:
    from neonup_cloud.api.answers import Granularity, ProjectConsumption


@click.command()
@click.option("--all", "everything", is_flag=True, help="All projects of the organization.")
@click.option(
    "--by", type=commands.Choice(sorted(PERIODS)), default="daily", show_default=True,
    help="The length of a period.",
)  # fmt: skip
@click.option(
    "--last", type=click.IntRange(1, 60), default=7, show_default=True, help="Number of periods."
)
@target.project_options
@commands.json_option
def usage(
    everything: bool, by: str, last: int, project: str | None, local: bool, **arguments: Any
) -> None:
    """Show what the project consumed. Neon's figures are up to 15 minutes old."""
    with target.opened(local=local, **arguments) as to:
        org, ids = to.org, None
        if not (everything and org):
            neon_project = to.neon.projects.get(to.project(project))
            org, ids = neon_project.org_id, None if everything else [neon_project.id]
        start, end = last_periods(by, last)
        consumed = list(
            to.neon.consumption.projects(
                org_id=org or "",
                start=start,
                end=end,
                granularity=cast("Granularity", by),
                project_ids=ids,
            )
        )
    if commands.wants_json():
        commands.emit(target.plain(consumed))
        return
    commands.grid(
        ("project", "from", "compute", "storage", "transfer"),
        [row for consumption in consumed for row in _rows(consumption)],
    )


def _rows(consumed: ProjectConsumption) -> list[tuple[str | None, ...]]:
    return [
        (
            consumed.project_id,
            commands.date(frame.timeframe_start),
            *figures({metric.metric_name: metric.value for metric in frame.metrics}),
        )
        for period in consumed.periods
        for frame in period.consumption
    ]
