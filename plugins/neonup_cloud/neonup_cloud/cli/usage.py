"""``usage``: what projects consume."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import click

from neonup.plugin import commands
from neonup_cloud.cli import target

if TYPE_CHECKING:
    from neonup_cloud.api.answers import Frame, Granularity, ProjectConsumption

_SPANS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "monthly": timedelta(days=31)}


@click.command()
@click.option("--all", "everything", is_flag=True, help="All projects of the organization.")
@click.option(
    "--by", type=click.Choice(sorted(_SPANS)), default="daily", show_default=True,
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
        until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        consumed = list(
            to.neon.consumption.projects(
                org_id=org or "",
                start=until - _SPANS[by] * (last - 1),
                end=until + timedelta(hours=1),
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
        (consumed.project_id, commands.date(frame.timeframe_start), *_figures(frame))
        for period in consumed.periods
        for frame in period.consumption
    ]


def _figures(frame: Frame) -> tuple[str | None, ...]:
    values: Mapping[str, float] = {metric.metric_name: metric.value for metric in frame.metrics}
    storage = [values[name] for name in _STORAGE if name in values]
    return (
        f"{values.get('compute_unit_seconds', 0) / 3600:.2f} CU h",
        f"{commands.size(sum(storage))} mo",
        commands.size(values.get("public_network_transfer_bytes", 0)),
    )


_STORAGE = ("root_branch_bytes_month", "child_branch_bytes_month")
