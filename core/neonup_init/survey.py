"""Goes through a project's files and collects what they say of its database."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from neonup_init import other_files, python_code, settings_classes
from neonup_init.evidence import Evidence, FileLine
from neonup_init.project_files import COMPOSE, ENV_EXAMPLE, ProjectFiles

_HINTS = re.compile(
    rb"environ|getenv|Settings\b|\benv\b|[Ee]nv\w*[.(]|ENV[.(]|\bconfig\(|dotenv|create_(?:async_)?engine|PostgresDsn"
    rb"|dj_database_url|SQLALCHEMY_DATABASE_URI|pgvector|geoalchemy2|contrib\.gis|Flask\(|get_secret"
    rb"|flask_migrate"
)
"""Most files have none of these, and are not parsed."""
_UNITTEST = re.compile(rb"^\s*class \w+\([^)]*TestCase\b", re.MULTILINE)
_PYTEST = re.compile(rb"^\s*(?:import pytest|from pytest\b|(?:async )?def test_)", re.MULTILINE)
_MIGRATIONS = frozenset({"migrations", "versions", "alembic"})


def survey(files: ProjectFiles) -> Evidence:
    """What a project's files say."""
    evidence = Evidence()
    models: dict[str, settings_classes.ModelClass] = {}
    for path in files.paths:
        if path.suffix == ".py":
            _python(path, files, evidence, models)
        elif path.suffix == ".sql" and "--" not in path.name:  # else an extension's own script
            _extensions(files.text(path), path, files, evidence)
        elif ENV_EXAMPLE.fullmatch(path.name):
            for name, value, line in other_files.example(files.text(path)):
                evidence.examples.setdefault(name, (value, files.place(path, line)))
        elif COMPOSE.fullmatch(path.name):
            _compose(path, files, evidence)
    settings_classes.read(models, evidence)
    evidence.complete = files.complete
    return evidence


def _python(
    path: Path,
    files: ProjectFiles,
    evidence: Evidence,
    models: dict[str, settings_classes.ModelClass],
) -> None:
    code = files.read(path)
    if files.is_test(path):
        for runner, pattern in (("unittest", _UNITTEST), ("pytest", _PYTEST)):
            if match := pattern.search(code):
                line = code.count(b"\n", 0, match.end()) + 1
                evidence.tests.setdefault(runner, files.place(path, line))
        if path.name == "conftest.py":
            evidence.tests.setdefault("pytest", files.place(path, 1))
        return
    if b"xtension" in code or b"EXTENSION" in code:
        _extensions(code.decode("utf-8", "replace"), path, files, evidence)
    if _is_migration(path, files) or not _HINTS.search(code):
        return
    if (tree := python_code.parse(code)) is not None:
        name = files.relative(path)
        names = python_code.assigned(tree)
        with contextlib.suppress(RecursionError):  # expressions that are nested a thousand times
            python_code.read(tree, path, name, names, evidence)
        for class_name, model in settings_classes.classes(tree, path, name, names):
            models.setdefault(class_name, model)


def _is_migration(path: Path, files: ProjectFiles) -> bool:
    return bool(_MIGRATIONS & {*path.relative_to(files.folder).parts[:-1]})


def _extensions(text: str, path: Path, files: ProjectFiles, evidence: Evidence) -> None:
    for name, line in other_files.extensions(text):
        if _is_migration(path, files):
            evidence.migrated_extensions.add(name)
        else:
            evidence.extensions.setdefault(name, files.place(path, line))


def _compose(path: Path, files: ProjectFiles, evidence: Evidence) -> None:
    text = files.text(path)
    for name, line in other_files.compose_names(text):
        evidence.compose.setdefault(name, files.place(path, line))
    for major, line in other_files.postgres_images(text):
        evidence.postgres_image = evidence.postgres_image or (
            major,
            FileLine(files.relative(path), line),
        )
