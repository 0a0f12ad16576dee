"""Whether the tests' database begins empty, so that pytest's settings must say what fills it."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from neonup_init import tools
from neonup_init.evidence import Evidence
from neonup_init.project_files import ProjectFiles
from neonup_init.python_code import parse
from neonup_init.static_values import dotted

_MAKERS = frozenset({"create_all", "create_tables", "run_migrations", "upgrade"})
_MENTIONS = re.compile(
    r"\balembic\b|CREATE TABLE|\bmigrate\b|\bupgrade\b|\bneon_template\b", re.IGNORECASE
)
_SETTING = re.compile(r"^neon_(?:migrate|schema)\b", re.MULTILINE)
_OTHER_SETTINGS = {"pytest.ini": "", "tox.ini": "[pytest]", "setup.cfg": "[tool:pytest]"}
"""The files, beside ``pyproject.toml``, that pytest reads, and what each must have for that."""


def has_plugin(files: ProjectFiles) -> bool:
    """Whether neonup's plugin for pytest is installed here or among the requirements."""
    return (
        importlib.util.find_spec("neonup_pytest") is not None
        or tools.requires(files, "neonup-pytest")
        or tools.requires(files, "neonup[pytest]")
    )


def migration(files: ProjectFiles, evidence: Evidence) -> tools.ToolUsed | None:
    """The command that makes the schema, where nothing else makes it in the tests' database.

    None also for Django, whose test databases are migrated.
    """
    is_django = (files.folder / "manage.py").is_file() and "django" in evidence.imports
    if is_django or not tools.uses_pytest(files, evidence):
        return None
    if is_set(files) or _is_made_by_tests(files):
        return None
    return tools.migration(files, evidence)


def is_set(files: ProjectFiles) -> bool:
    """Whether pytest's settings say already what makes the schema."""
    named = files.named("pyproject.toml", *_OTHER_SETTINGS)
    return any(_SETTING.search(files.text(path)) for path in named if path.parent == files.folder)


def can_be_set(files: ProjectFiles) -> bool:
    """Whether ``[tool.pytest.ini_options]`` is, or would be, what pytest reads, with the plugin.

    Without the plugin pytest warns of its settings, and strict projects make that an error.
    """
    if not has_plugin(files):
        return False
    try:
        table = tomllib.loads(files.text(files.folder / "pyproject.toml")).get("tool", {})
        pytest = set(table.get("pytest", {}))
    except (ValueError, AttributeError, TypeError):  # no TOML, or other than tables
        return False
    if (files.folder / "pytest.ini").is_file() or pytest - {"ini_options"}:
        return False
    if "ini_options" in pytest:
        return True
    others = ((files.folder / name, mark) for name, mark in _OTHER_SETTINGS.items())
    return not any(path.is_file() and mark in files.text(path) for path, mark in others)


def _is_made_by_tests(files: ProjectFiles) -> bool:
    """Whether a conftest, or what helps the tests, makes the schema or calls what does."""
    helpers = [path for path in files.paths if path.suffix == ".py" and _helps_tests(path, files)]
    if any(_MENTIONS.search(files.text(path)) for path in helpers):
        return True
    called = {name for path in helpers for name in _called(parse(files.read(path)))}
    return bool(called & {*_MAKERS, *_functions_that_make(files)})


def _helps_tests(path: Path, files: ProjectFiles) -> bool:
    is_of_tests = path.name.startswith("test_") or path.name.endswith("_test.py")
    return files.is_test(path) and not is_of_tests


def _functions_that_make(files: ProjectFiles) -> Iterator[str]:
    """The application's functions that create tables."""
    for path in files.paths:
        if path.suffix == ".py" and not files.is_test(path):
            code = files.read(path)
            tree = parse(code) if b"create_all" in code or b"create_tables" in code else None
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                    not _MAKERS.isdisjoint(_called(node))
                ):
                    yield node.name


def _called(tree: ast.AST | None) -> Iterator[str]:
    """The last names of what is called, or given to what is called: ``run_sync(create_all)``."""
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call):
            for part in (node.func, *node.args):
                yield dotted(part).rpartition(".")[2]
