"""Which tools a project uses for its schema, its first data and its tests."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

from neonup_init.evidence import Evidence, FileLine
from neonup_init.project_files import ProjectFiles

_SEEDS = ("seed.sql", "seeds.sql")
_SEED_PROGRAMS = re.compile(
    r"(?:seed|seeds|seed_db|seed_data|initial_data|load_fixtures|populate_db)\.py"
)
_REQUIREMENTS = ("pyproject.toml", "Pipfile", "setup.cfg", "setup.py")


@dataclass(frozen=True)
class ToolUsed:
    """A setting that follows from a tool, and where that is seen."""

    value: str
    place: FileLine


def migration(files: ProjectFiles, evidence: Evidence) -> ToolUsed | None:
    """The command that makes the schema in a new database."""
    manage = files.folder / "manage.py"
    if "django" in evidence.imports and manage.is_file() and "django" in files.text(manage):
        return ToolUsed("python manage.py migrate", files.place(manage, 1))
    for path in files.named("alembic.ini"):
        if files.is_test(path):
            continue
        place = files.place(path, 1)
        if _is_flask_migrate(path, evidence):
            flask = _flask(files, evidence)
            return (
                ToolUsed(f"{flask} db upgrade{_directory(path, files)}", place) if flask else None
            )
        return ToolUsed(_alembic(path, files), place)
    pyproject = files.folder / "pyproject.toml"
    if (line := _line_of(files.text(pyproject), r"\[tool\.alembic\]")) is not None:
        return ToolUsed("alembic upgrade head", files.place(pyproject, line))
    if (line := _line_of(files.text(pyproject), r"\[tool\.aerich\]")) is not None:
        return ToolUsed("aerich upgrade", files.place(pyproject, line))
    if aerich := files.named("aerich.ini"):
        return ToolUsed("aerich upgrade", files.place(aerich[0], 1))
    return None


def _alembic(path: Path, files: ProjectFiles) -> str:
    """The command; in a folder below it is run there, unless its scripts are found from here."""
    if path.parent == files.folder:
        return "alembic upgrade head"
    location = re.search(r"^script_location\s*=\s*(\S+)", files.text(path), re.MULTILINE)
    scripts = location.group(1) if location is not None else ""
    if scripts.startswith("%(here)s") or (
        not (path.parent / scripts).is_dir() and (files.folder / scripts).is_dir()
    ):
        return f"alembic -c {shlex.quote(files.relative(path))} upgrade head"
    return f"sh -c 'cd {shlex.quote(files.relative(path.parent))} && alembic upgrade head'"


def _line_of(text: str, pattern: str) -> int | None:
    match = re.search(rf"^{pattern}", text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else None


def _is_flask_migrate(path: Path, evidence: Evidence) -> bool:
    return "flask_migrate" in evidence.imports and path.with_name("env.py").is_file()


def _directory(path: Path, files: ProjectFiles) -> str:
    folder = files.relative(path.parent)
    return "" if folder == "migrations" else f" --directory {shlex.quote(folder)}"


def _flask(files: ProjectFiles, evidence: Evidence) -> str | None:
    """The command ``flask``, with the application where Flask would not find it by itself.

    None: the files do not say where it is.
    """
    by_itself = ("app.py", "wsgi.py", ".flaskenv")
    if any((files.folder / name).is_file() for name in by_itself):
        return "flask"
    here = [path for path in files.paths if path.parent == files.folder and path.suffix == ".py"]
    made = re.compile(r"^app\s*=\s*\w*(?:Flask|create_app)\(", re.MULTILINE)
    for path in here:
        if not files.is_test(path) and made.search(files.text(path)):
            return f"flask --app {path.stem}"
    for place in evidence.flask_apps:
        module = place.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return f"flask --app {module}"
    return None


def seed(files: ProjectFiles) -> ToolUsed | None:
    """The SQL script that fills a new database."""
    for path in files.named(*_SEEDS):
        if not files.is_test(path):
            return ToolUsed(files.relative(path), files.place(path, 1))
    return None


def seed_program(files: ProjectFiles) -> FileLine | None:
    """A program, or a management command, that plainly fills a new database."""
    for path in files.paths:
        if _SEED_PROGRAMS.fullmatch(path.name) and not files.is_test(path):
            return files.place(path, 1)
    return None


def requires(files: ProjectFiles, name: str) -> bool:
    """Whether a distribution is among the project's requirements, of any group."""
    pattern = re.compile(
        rf"^[\s\"'\-]*{re.escape(name)}(?:-binary)?(?![\w.-])", re.IGNORECASE | re.MULTILINE
    )
    inline = re.compile(rf"[\"']{re.escape(name)}(?:-binary)?(?![\w.-])", re.IGNORECASE)
    for path in files.paths:
        is_list = path.suffix in (".txt", ".in") and (
            "require" in path.name.lower() or path.parent.name == "requirements"
        )
        is_table = path.parent == files.folder and path.name in _REQUIREMENTS
        text = files.text(path) if is_list or is_table else ""
        if pattern.search(text) or (is_table and inline.search(text)):
            return True
    return False


def uses_pytest(files: ProjectFiles, evidence: Evidence) -> bool:
    """Whether pytest runs the project's tests."""
    if requires(files, "pytest") or requires(files, "pytest-django") or files.named("pytest.ini"):
        return True
    only_unittest = "unittest" in evidence.tests and not files.named("conftest.py")
    return "pytest" in evidence.tests and not only_unittest


def workspace_members(pyproject: Path) -> list[str]:
    """The members of a workspace of uv's, as its root lists them."""
    try:
        table = tomllib.loads(pyproject.read_text("utf-8"))
        members = table["tool"]["uv"]["workspace"]["members"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [member for member in members if isinstance(member, str)]
