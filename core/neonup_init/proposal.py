"""What ``neonup init`` proposes: settings with their reasons, and what else to know."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neonup_init import notes, tests_schema, tools
from neonup_init.evidence import Evidence, FileLine
from neonup_init.names import is_url_of_postgres
from neonup_init.parents import env_file_above, is_near, is_recorded_by_neonup
from neonup_init.project_files import ProjectFiles
from neonup_init.survey import survey
from neonup_init.variables import DEFAULT_KEY, VariableChoice, choose

VARIABLES = "variables"
PYTEST = "pytest"


@dataclass(frozen=True)
class ProposedLine:
    """A line for ``pyproject.toml``.

    Args:
        table: ``""`` for ``[tool.neonup]``, ``variables``, or ``pytest`` for its ini options.
        name: the setting or the variable.
        value: its value.
        why: the reason, for a person.
        place: where it is seen.
    """

    table: str
    name: str
    value: str | list[str]
    why: str
    place: FileLine


@dataclass
class Proposal:
    """All that is proposed for a project.

    Attributes:
        project: its folder.
        lines: what is missing in ``[tool.neonup]`` and pytest's ini options.
        reads: the variables of the database that the code reads, each with its place.
        notes: what cannot be set there.
    """

    project: Path
    lines: list[ProposedLine] = field(default_factory=list)
    reads: dict[str, FileLine] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def connects(self) -> list[ProposedLine]:
        """The lines without which the code does not reach the database."""
        return [
            line
            for line in self.lines
            if line.table == VARIABLES or line.name in ("key", "url_scheme", "env_file")
        ]


def propose(folder: Path, table: Mapping[str, Any], *, seconds: float = 20.0) -> Proposal:
    """What is proposed for a project, beside what its ``[tool.neonup]`` has already.

    Args:
        folder: the project's.
        table: ``[tool.neonup]``.
        seconds: how long its files are looked at, at the most.
    """
    files = ProjectFiles(folder, seconds=seconds)
    evidence = survey(files)
    choice = choose(evidence)
    proposal = Proposal(folder, reads=_reads(choice))
    set_already = {*table, *(f"{VARIABLES}.{name}" for name in table.get(VARIABLES, {}))}
    for line in _lines(files, evidence, choice):
        name = f"{line.table}.{line.name}" if line.table else line.name
        if name not in set_already:
            proposal.lines.append(line)
        elif not line.table and table[line.name] != line.value and line.name in ("key", "env_file"):
            proposal.notes.append(
                f"{line.name} = {table[line.name]!r} in pyproject.toml stays, though {line.place} "
                f"{line.why}"
            )
    for line in proposal.lines:
        if line.name == "env_file":
            proposal.notes += notes.of_own_file(folder, choice.key_name, str(line.value))
    proposal.notes += notes.of_project(files, evidence, choice)
    return proposal


def _reads(choice: VariableChoice) -> dict[str, FileLine]:
    reads = {name: place for name, (_, place) in choice.templates.items()}
    return {choice.key.name: choice.key.place, **reads} if choice.key is not None else reads


def _lines(
    files: ProjectFiles, evidence: Evidence, choice: VariableChoice
) -> Iterator[ProposedLine]:
    if choice.key is not None and choice.key.name != DEFAULT_KEY:
        yield ProposedLine("", "key", choice.key.name, f"reads {choice.key.name}", choice.key.place)
    yield from _env_file(files, evidence, choice)
    yield from _scheme(files, evidence, choice)
    if (used := tools.migration(files, evidence)) is not None:
        yield ProposedLine("", "migrate", used.value, "makes the schema", used.place)
    if (used := tools.seed(files)) is not None:
        yield ProposedLine("", "seed", used.value, "fills it", used.place)
    missing = {
        name: place
        for name, place in evidence.extensions.items()
        if name not in evidence.migrated_extensions
    }
    if missing:
        place = next(iter(missing.values()))
        yield ProposedLine(
            "", "extensions", sorted(missing), "needs it, and no migration creates it", place
        )
    for name, (template, place) in choice.templates.items():
        yield ProposedLine(VARIABLES, name, template, f"reads {name}", place)
    used = tests_schema.migration(files, evidence)
    if used is not None and tests_schema.can_be_set(files):
        why = "makes the schema, and no conftest does"
        yield ProposedLine(PYTEST, "neon_migrate", used.value, why, used.place)


def _env_file(
    files: ProjectFiles, evidence: Evidence, choice: VariableChoice
) -> Iterator[ProposedLine]:
    """The file that the code reads, where it is not the project's ``.env``."""
    own = files.folder / ".env"
    above = _above(files.folder, choice)
    chosen = [read for read in evidence.env_files if read.path is not None]
    for read in sorted(chosen, key=lambda read: (read.path or own).name != ".env"):
        path = Path(os.path.normpath(files.folder / (read.path or own)))
        if path == own:
            return
        if is_near(path, files.folder):
            shown = files.relative(path)
            yield ProposedLine("", "env_file", shown, f"reads {shown}", read.place)
            return
    is_free = not own.exists() or is_recorded_by_neonup(own, choice.key_name)
    if above is not None and is_free and not chosen and not evidence.computed_env_files:
        searched = next(iter(evidence.env_files), None)
        shown = files.relative(above)
        place = searched.place if searched else FileLine(shown, 1)
        why = f"looks for .env upward, and finds {shown}" if searched else "has the variables"
        yield ProposedLine("", "env_file", shown, why, place)


def _above(folder: Path, choice: VariableChoice) -> Path | None:
    """The nearest ``.env`` above in the repository that sets what the code reads."""
    return env_file_above(folder, {*_reads(choice), DEFAULT_KEY})


def _scheme(
    files: ProjectFiles, evidence: Evidence, choice: VariableChoice
) -> Iterator[ProposedLine]:
    """The scheme of the URL, where the code takes no other."""
    key = choice.key
    if key is None:
        return
    example, place = evidence.examples.get(key.name, ("", key.place))
    for value, where in ((example, place), (key.value or "", key.place)):
        scheme = value.partition("://")[0]
        if "+" in scheme and is_url_of_postgres(value):
            yield ProposedLine("", "url_scheme", scheme, f"has {scheme}://", where)
            return
    for made in evidence.engines:
        if made.variable != key.name.upper() or key.name.upper() in evidence.validated:
            continue
        driver = _driver(files, asynchronous=made.asynchronous)
        if driver is not None:
            why = "makes an engine of the variable as it is"
            yield ProposedLine("", "url_scheme", driver, why, made.place)
            return


def _driver(files: ProjectFiles, *, asynchronous: bool) -> str | None:
    """The scheme for SQLAlchemy that names the driver which the project requires."""
    if asynchronous:
        drivers = [name for name in ("asyncpg", "psycopg") if tools.requires(files, name)]
        return f"postgresql+{drivers[0] if drivers else 'asyncpg'}"
    if tools.requires(files, "psycopg") and not tools.requires(files, "psycopg2"):
        return "postgresql+psycopg"
    return None
