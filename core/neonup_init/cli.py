"""``neonup init``: shows what is proposed for ``[tool.neonup]``, asks, and writes it."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

import click

from neonup import NeonupError, find_project
from neonup.plugin import commands
from neonup_init import notes, pyproject
from neonup_init.proposal import Proposal, ProposedLine, propose
from neonup_init.pyproject import ProjectFile


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@commands.yes_option
@commands.json_option
def init(dry_run: bool, yes: bool) -> None:
    """Propose [tool.neonup] for this project, and write it.

    Reads the project's files, and runs nothing of its code: which variables the code takes its
    database from, which env file it reads, how it migrates. Shows the lines with their reasons,
    asks, and adds them to pyproject.toml. What is set there stays. Where nobody can be asked,
    nothing is written and the status is 1; --dry-run, and --json without --yes, write nothing
    either, with status 0.
    """
    folder = find_project(Path.cwd())
    file = pyproject.load(folder / pyproject.NAME)
    proposal = propose(folder, file.table)
    proposal.notes += notes.of_workspace(file.path)
    text = pyproject.added(file, proposal.lines) if proposal.lines else file.text
    if commands.wants_json():
        written = bool(proposal.lines) and yes and not dry_run
        if written:
            pyproject.write(file, text)
        commands.emit(_as_dict(proposal, file, text, written=written))
        return
    _show(proposal, file, text)
    if not proposal.lines or dry_run:
        return
    if not yes and not commands.confirm(f"Change {pyproject.NAME}?"):
        raise NeonupError(
            "Nothing was changed.", remedy="`neonup init --yes` writes it without asking."
        )
    pyproject.write(file, text)
    commands.tell([f"{pyproject.NAME} has the settings", "-> neonup"])


def _show(proposal: Proposal, file: ProjectFile, text: str) -> None:
    folder = proposal.project
    if proposal.lines:
        commands.tell([f"proposes for {folder / pyproject.NAME}:"])
        click.echo()
        for row in _diff(file, text):
            colour = "green" if row.startswith("+") else "red" if row.startswith("-") else None
            click.echo(commands.style(row, fg=colour) if sys.stdout.isatty() else row)
        click.echo()
        width = max(len(line.name) for line in proposal.lines)
        for line in proposal.lines:
            click.echo(f"  {line.name.ljust(width)}  {line.place} {line.why}")
    else:
        commands.tell([f"proposes nothing for {folder}: {_why_nothing(proposal)}"])
    for note in proposal.notes:
        click.echo(f"  note: {note}")


def _why_nothing(proposal: Proposal) -> str:
    if not proposal.reads:
        return "no setting is needed"
    name, place = next(iter(proposal.reads.items()))
    return f"it has what it needs ({place} reads {name})"


def _diff(file: ProjectFile, text: str) -> list[str]:
    """A unified diff, without line ends."""
    before = file.text.splitlines()
    old = pyproject.NAME if file.content is not None else "/dev/null"
    return list(difflib.unified_diff(before, text.splitlines(), old, pyproject.NAME, lineterm=""))


def _as_dict(proposal: Proposal, file: ProjectFile, text: str, *, written: bool) -> dict[str, Any]:
    return {
        "project": str(proposal.project),
        "file": str(file.path),
        "settings": [_line_dict(line) for line in proposal.lines],
        "reads": {name: str(place) for name, place in proposal.reads.items()},
        "notes": proposal.notes,
        "diff": "\n".join(_diff(file, text)),
        "written": written,
    }


def _line_dict(line: ProposedLine) -> dict[str, Any]:
    return {
        "table": pyproject.name_of(line.table),
        "name": line.name,
        "value": line.value,
        "why": line.why,
        "file": line.place.file,
        "line": line.place.line,
    }
