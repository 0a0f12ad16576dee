"""What was read in a project's files, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class FileLine:
    """A line of a file.

    Args:
        file: the path from the project's folder, as people write it.
        line: from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class VariableRead:
    """An environment variable that code reads.

    Args:
        name: the variable.
        place: where it is read.
        required: whether the code fails without it.
        value: its default, where the code has one that is a string.
        is_url: whether its type says that it is a URL of Postgres.
    """

    name: str
    place: FileLine
    required: bool = False
    value: str | None = None
    is_url: bool = False


@dataclass(frozen=True)
class EnvFileRead:
    """A file of variables that code reads.

    Args:
        path: the file; None: the code leaves it to a search upward from its own folder.
        place: where it is read.
        switch: the variable without which it is not read; None: it is always read.
    """

    path: Path | None
    place: FileLine
    switch: str | None = None


@dataclass(frozen=True)
class EngineMade:
    """A call that makes an engine of SQLAlchemy's of an unchanged variable.

    Args:
        variable: the variable, or the attribute of a settings object, in capitals.
        place: where.
        asynchronous: whether it is `create_async_engine`.
    """

    variable: str
    place: FileLine
    asynchronous: bool


@dataclass(frozen=True)
class StrictSettings:
    """A class of pydantic-settings that refuses lines of its env file which it does not know.

    Args:
        name: the class.
        place: where it is.
        fields: the variables that it knows.
    """

    name: str
    place: FileLine
    fields: frozenset[str]


@dataclass
class Evidence:
    """Everything that was read in a project."""

    reads: list[VariableRead] = field(default_factory=list)
    env_files: list[EnvFileRead] = field(default_factory=list)
    computed_env_files: list[FileLine] = field(default_factory=list)
    """Where files are read whose path the text does not say."""
    engines: list[EngineMade] = field(default_factory=list)
    strict: list[StrictSettings] = field(default_factory=list)
    validated: set[str] = field(default_factory=set)
    """Fields of settings that a validator may change, in capitals."""
    selectors: dict[str, tuple[str, FileLine]] = field(default_factory=dict)
    """Variables, or attributes in capitals, that are compared with a word for Postgres."""
    flask_apps: list[FileLine] = field(default_factory=list)
    imports: dict[str, FileLine] = field(default_factory=dict)
    extensions: dict[str, FileLine] = field(default_factory=dict)
    """Those that something beside migrations creates or needs."""
    migrated_extensions: set[str] = field(default_factory=set)
    examples: dict[str, tuple[str, FileLine]] = field(default_factory=dict)
    """Variables of ``.env.example`` and its like, with their values."""
    compose: dict[str, FileLine] = field(default_factory=dict)
    """Variables that compose files name."""
    postgres_image: tuple[str, FileLine] | None = None
    tests: dict[str, FileLine] = field(default_factory=dict)
    """``pytest`` and ``unittest``, with the first test that is written for it."""
    complete: bool = True
    """False: there was more than could be read in the time."""

    def note_imports(self, names: Iterable[str], place: FileLine) -> None:
        """Record the first place of each import."""
        for name in names:
            self.imports.setdefault(name, place)
