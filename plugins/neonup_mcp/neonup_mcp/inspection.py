"""The tool that says what is worth a look in the database, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

import neonup_inspect
from neonup import libpq
from neonup_inspect import DatabaseReport
from neonup_mcp import values
from neonup_mcp.project import Branch, ServedProject
from neonup_mcp.result import ToolResult, add_tool
from neonup_mcp.session import Runner


class InspectionFinding(BaseModel):
    """One finding."""

    topic: str
    subject: str
    reason: str
    statement: str | None = Field(description="SQL that mends it. It was not run.")
    weight: float = Field(description="How urgent it is, from 0 to 100.")


class InspectionResult(ToolResult):
    """What was seen of the database."""

    findings: list[InspectionFinding] = Field(description="Worst first.")
    rows: list[dict[str, Any]] = Field(
        description="Of the topic, where one was asked for. Sizes are bytes, times are seconds."
    )
    truncated: bool = Field(description="Whether there are more rows than the limits allow.")
    notes: list[str] = Field(description="What could not be seen, and why.")

    @classmethod
    def of(cls, report: DatabaseReport, *, topic: bool, most: int) -> InspectionResult:
        """What was seen; at most so many rows of a topic."""
        rows = report.topics[0].rows if topic else []
        return cls(
            findings=[InspectionFinding(**finding.as_dict()) for finding in report.findings],
            rows=rows[:most],
            truncated=len(rows) > most,
            notes=report.notes,
        )

    def text(self) -> str:
        """The findings in a few lines each, then the rows."""
        lines = [
            line
            for finding in self.findings
            for line in (
                f"{finding.topic}: {finding.subject}",
                f"  {finding.reason}",
                *(f"  {text}" for text in (finding.statement or "").splitlines()),
            )
        ]
        if not self.findings and not self.rows:
            lines.append("Nothing is worth a look.")
        if self.rows:
            lines.append(" | ".join(self.rows[0]))
            lines += [" | ".join(map(values.as_text, row.values())) for row in self.rows]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


@dataclass(frozen=True)
class InspectionTools:
    """The tool over one project's database.

    Args:
        project: the project.
        runner: says how many connections there may be at once, and how many rows are returned.
    """

    project: ServedProject
    runner: Runner

    def register(self, server: MCPServer[Any]) -> None:
        """Add the tool."""
        add_tool(server, self.inspect_database, title="Inspect the database", read_only=True)

    async def inspect_database(
        self,
        topic: Annotated[
            str | None,
            Field(
                description="Also list what one topic knows, e.g. every index that is not read.",
                json_schema_extra={"enum": [*neonup_inspect.TOPICS, None]},
            ),
        ] = None,
        branch: Branch = None,
    ) -> InspectionResult:
        """Say what is worth a look in the database, worst first, each with the SQL that mends it.

        Locks and who blocks whom, long transactions, unused and duplicate indexes, foreign keys
        without one, bloat, sequential scans, slow statements, sequences near their end and more.
        It reads catalogs and statistics alone, and is cheap on a busy database.
        """
        url = await self.project.reach(branch)
        look = partial(_look, url, topic, self.project.recorded().provider)
        report = await self.runner.run(
            lambda: anyio.to_thread.run_sync(look, abandon_on_cancel=True)
        )
        limits = self.runner.limits
        return InspectionResult.of(report, topic=topic is not None, most=limits.rows)


def _look(url: str, topic: str | None, provider: str) -> DatabaseReport:
    with libpq.service_hidden():
        return neonup_inspect.inspect_url(
            url, None if topic is None else [topic], provider=provider
        )
