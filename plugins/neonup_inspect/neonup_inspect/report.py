"""What was seen of a database, for a terminal and as JSON."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import click

from neonup.plugin.commands import grid, style
from neonup_inspect import cells
from neonup_inspect.finding import DatabaseFinding, DatabaseReport, TopicReport


def as_data(report: DatabaseReport, *, topic: bool) -> dict[str, Any]:
    """The report as JSON has it.

    Args:
        report: what was seen.
        topic: whether it is that of one topic, whose rows are wanted.
    """
    findings = [finding.as_dict() for finding in report.findings]
    if not topic:
        return {"findings": findings, "notes": report.notes}
    (only,) = report.topics
    return {
        "topic": only.name,
        "question": only.question,
        "rows": only.rows,
        "findings": findings,
        "notes": only.notes,
    }


def show(report: DatabaseReport, *, topic: bool) -> None:
    """Print the report; the arguments are those of `as_data`."""
    if topic:
        (only,) = report.topics
        click.echo(style(only.question, bold=True))
        _show_rows(only)
    for number, finding in enumerate(report.findings):
        if number or topic:
            click.echo()
        for line in finding_lines(finding):
            click.echo(line)
    if not topic and not report.findings:
        click.echo("Nothing is worth a look.")
    for number, note in enumerate(report.notes):
        if not number:
            click.echo()
        click.echo(style(f"Note: {note}", dim=True))


def finding_lines(finding: DatabaseFinding) -> Iterator[str]:
    """What it is about, why, and the statement, which can be copied as it stands."""
    yield f"{style(finding.topic, bold=True)}: {finding.subject}"
    yield click.wrap_text(finding.reason, _width(), initial_indent="  ", subsequent_indent="  ")
    if finding.statement is not None:
        for line in finding.statement.splitlines():
            yield f"  {style(line, fg='green')}"


def _width() -> int:
    """Columns of the terminal, as far as a line can be read."""
    return min(100, shutil.get_terminal_size().columns)


def _show_rows(report: TopicReport) -> None:
    if not report.rows:
        click.echo("none")
        return
    grid(
        [cells.heading(column) for column in report.columns],
        [[cells.text(column, row[column]) for column in report.columns] for row in report.rows],
    )
