"""What makes a template: SQL files, a command, a function; and what tells that it has changed."""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import neonup
from neonup import NeonupError, Settings, SettingsError, run_script
from neonup_pytest import building, functions

Source: TypeAlias = "str | Path | Callable[..., Any] | Sequence[Source] | Schema | None"
"""What `neon_template` may return: a command or ``module:function``, a SQL file (a path, or its
name as a string), a callable that is given the URL (or nothing), several of these in their order,
a `Schema`, or None: no schema."""

_FORM = 2
"""Counted up when the same steps come to make another template."""

_CODE = frozenset({".py", ".sql", ".toml", ".ini", ".cfg", ".yaml", ".yml", ".json", ".mako"})
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "build", "dist"})
_FUNCTION = r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*"


@dataclass(frozen=True)
class Schema:
    """What makes a template, and what it depends on.

    Args:
        steps: commands, SQL files and callables, in their order.
        files: what they depend on, beside themselves; None: as far as can be told.
        key: more that it depends on, in a text of one's own.
    """

    steps: tuple[str | Path | Callable[..., Any], ...]
    files: tuple[Path, ...] | None = None
    key: str = ""


@dataclass(frozen=True)
class SchemaProject:
    """Where the steps run.

    Args:
        root: the folder.
        patterns: the files that migrations depend on, as globs; none: all code outside of tests.
        tests: folders and files that no schema depends on.
    """

    root: Path
    patterns: tuple[str, ...] = ()
    tests: tuple[Path, ...] = ()


def schema_of(source: Source, root: Path) -> Schema | None:
    """A source in its general form; None if there is no schema.

    Raises:
        SettingsError: it is something else.
    """
    if source is None or isinstance(source, Schema):
        return source
    if isinstance(source, str) and _is_file(source, root):
        return Schema((root / source,))
    if isinstance(source, str) or callable(source):
        return Schema((source,))
    if isinstance(source, Path):
        return Schema((root / source,))
    if isinstance(source, Sequence):
        parts = [schema for item in source if (schema := schema_of(item, root)) is not None]
        if any(part.files is not None or part.key for part in parts):
            raise SettingsError("A Schema cannot be part of a list; pass all steps to one Schema.")
        return Schema(tuple(step for part in parts for step in part.steps)) if parts else None
    raise SettingsError(
        f"neon_template is {source!r}, which cannot create a schema.",
        remedy="Return a command, the path of a SQL file, a function, or a list of these.",
    )


def fingerprint(schema: Schema, project: SchemaProject, server: str, more: str = "") -> str:
    """Changes when what makes the schema changes.

    Args:
        schema: what is done.
        project: where.
        server: what kind of server it is done on.
        more: what else changes when the schema does.

    Raises:
        SettingsError: a SQL file is missing.
    """
    digest = hashlib.sha256(f"{_FORM} {server} {schema.key}{more}".encode())
    for step in schema.steps:
        if isinstance(step, Path):
            _add_file(digest, step, project.root)
        else:
            digest.update(f"\n{_name(step)}\n".encode())
    files: Iterable[Path] = schema.files if schema.files is not None else _files(schema, project)
    for path in sorted(set(files)):
        _add_file(digest, path, project.root)
    return digest.hexdigest()


@dataclass(frozen=True)
class BuildTarget:
    """The empty database that a schema is made in.

    Args:
        url: its URL, in the application's dialect.
        libpq_url: the same in libpq's form.
        environ: the variables that lead a command there.
        app_url: the application's own URL in this run.
        behind_app_url: puts the database behind that one, for functions of this process.
    """

    url: str
    libpq_url: str
    environ: Mapping[str, str]
    app_url: str
    behind_app_url: Callable[[], AbstractContextManager[None]]


def apply(schema: Schema, target: BuildTarget, root: Path) -> None:
    """Make the schema in an empty database.

    Args:
        schema: what to do.
        target: the database.
        root: where commands run.

    Raises:
        NeonupError: a step failed; shows what it said.
    """
    for step in schema.steps:
        if isinstance(step, Path):
            run_script(target.libpq_url, step, once=False, folder=step.parent)
        elif callable(step):
            with target.behind_app_url():
                functions.call(step, target.app_url)
        elif _is_function(step):
            functions.load(step, root)  # says what is wrong with the name
            building.run_function(step, target.url, target.environ, root)
        else:
            _run(step, target.environ, root)


@contextlib.contextmanager
def explained(settings: Settings, provider: str) -> Iterator[None]:
    """Say of a failure that comes from what the server lacks how to get that.

    Args:
        settings: the project's.
        provider: the server's, as `Server.provider`.
    """
    try:
        yield
    except Exception as error:
        reasons = [str(error), *error.checked] if isinstance(error, NeonupError) else [str(error)]
        remedy = neonup.explain_failure("\n".join(reasons), settings, provider)
        if remedy and isinstance(error, NeonupError):
            error.remedy = " ".join(filter(None, [remedy, error.remedy]))
        elif remedy:
            error.add_note(remedy)
        raise


def _name(step: str | Callable[..., Any]) -> str:
    if isinstance(step, str):
        return step
    function = inspect.unwrap(step)
    place = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
    try:
        return f"{place}\n{inspect.getsource(function)}"
    except (OSError, TypeError):
        return place


def _is_file(step: str, root: Path) -> bool:
    """Whether a string is the path of a SQL file: a shell would try to run that."""
    return step.endswith(".sql") and (len(step.split()) == 1 or (root / step).is_file())


def _is_function(step: str) -> bool:
    return re.fullmatch(_FUNCTION, step) is not None


def _files(schema: Schema, project: SchemaProject) -> Iterable[Path]:
    """What the steps depend on, where nobody says: rather too much than too little."""
    if all(isinstance(step, Path) for step in schema.steps):
        return []
    if project.patterns:
        files = [path for glob in project.patterns for path in project.root.glob(glob)]
        return [path for path in files if path.is_file()]
    commands = [step for step in schema.steps if not isinstance(step, Path)]
    folders = [_alembic(step, project.root) for step in commands]
    known = [folder for folder in folders if folder is not None]
    if len(known) == len(commands):
        return [path for folder in known for path in _code(folder, ())]
    return _code(project.root, project.tests)


def _alembic(step: str | Callable[..., Any], root: Path) -> Path | None:
    """The folder with the migrations that an Alembic command runs; None for anything else."""
    words = shlex.split(step) if isinstance(step, str) else []
    if "alembic" not in [Path(word).name for word in words[:3]]:
        return None
    from neonup.plugin.migrations import alembic_scripts

    try:
        folder = alembic_scripts(str(step), root)
    except (configparser.Error, OSError, ValueError):  # Alembic itself says what is wrong
        return None
    return folder if folder is not None and folder.is_dir() else None


def _code(root: Path, without: tuple[Path, ...]) -> Iterable[Path]:
    for where, folders, files in os.walk(root):
        folder = Path(where)
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".")
            and name not in _SKIPPED
            and folder / name not in without
            and not (folder / name / "pyvenv.cfg").exists()
        ]
        for name in files:
            path = folder / name
            is_test = name == "conftest.py" or name.startswith("test_") or path in without
            if path.suffix in _CODE and not is_test:
                yield path


def _add_file(digest: hashlib._Hash, path: Path, root: Path) -> None:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"The schema's file {path} cannot be read: {error.strerror}.",
            remedy="Correct its path in neon_schema, or where neon_template returns it; it is "
            "relative to pytest's rootdir.",
        ) from None
    name = path.relative_to(root) if path.is_relative_to(root) else path
    digest.update(f"\n{name.as_posix()} {len(content)}\n".encode())
    digest.update(content)


def _run(command: str, environ: Mapping[str, str], root: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(  # noqa: S602 - a line for a shell, from the project's own file
        command,
        shell=True,
        cwd=root,
        env={**os.environ, "PATH": path, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        output = [line for line in done.stdout.splitlines() if line.strip()]
        raise NeonupError(
            f"neon_migrate failed with exit status {done.returncode}: {command}",
            checked=output[-12:],
        )
