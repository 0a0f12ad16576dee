"""What a person should know that no setting says: switches, strict settings, tests, members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from neonup.plugin import commands
from neonup_init import tests_schema, tools
from neonup_init.evidence import Evidence, VariableRead
from neonup_init.names import is_for_tests
from neonup_init.parents import is_recorded_by_neonup
from neonup_init.project_files import ProjectFiles
from neonup_init.variables import DEFAULT_KEY, VariableChoice


def of_project(files: ProjectFiles, evidence: Evidence, choice: VariableChoice) -> Iterator[str]:
    """The notes about a project, a sentence each."""
    reads = choice.key is not None or bool(choice.templates)
    if not reads:
        yield from _nothing_read(files, evidence)
    else:
        yield from _env_file(evidence)
        yield from _strict(evidence, choice)
    tests = [read for read in choice.others if is_for_tests(read.name)]
    others = [read for read in choice.others if not is_for_tests(read.name)]
    if tests:
        yield f"{_shown(tests)}: left alone, tests need a database of their own"
    if others:
        yield f"{_shown(others)}: left alone, it seems to be another database"
    if (place := tools.seed_program(files)) is not None:
        yield f"{place.file} seems to fill a new database; run it once after the first start"
    if reads:
        yield from _tests(files, evidence)
    if evidence.postgres_image is not None:
        major, place = evidence.postgres_image
        yield f"{place} runs Postgres {major}; `postgres = {major}` asks for the same here"
    if not evidence.complete:
        yield "not all files were looked at: there are too many"


def _shown(reads: Sequence[VariableRead]) -> str:
    """Where variables are read, and which; of many the first."""
    names = ", ".join(read.name for read in reads[:3])
    more = f" and {len(reads) - 3} more" if len(reads) > 3 else ""
    return f"{reads[0].place} reads {names}{more}"


def _nothing_read(files: ProjectFiles, evidence: Evidence) -> Iterator[str]:
    if files.nested:
        nested = ", ".join(files.relative(path) for path in files.nested[:5])
        yield (
            f"projects of their own below this folder: {nested}; run `neonup init` in the one "
            "that has the database"
        )
        return
    named = [*evidence.examples, *evidence.compose]
    known = [name for name in named if name.startswith(("DATABASE_", "POSTGRES_", "PG", "DB_"))]
    shown = ", ".join(dict.fromkeys(known[:4]))
    mentioned = f" ({shown} only in examples or compose files)" if known else ""
    yield f"no code here reads a database's variable{mentioned}; neonup writes {DEFAULT_KEY}"


def _env_file(evidence: Evidence) -> Iterator[str]:
    for place in evidence.computed_env_files[:1] if not evidence.env_files else ():
        yield (
            f"{place} reads an env file by a path that is computed: set env_file if it is another "
            "one than .env"
        )
    if not evidence.env_files and not evidence.computed_env_files:
        yield (
            "no code here reads an env file: `neonup run -- COMMAND` starts a program with the "
            "variables set"
        )
    for read in evidence.env_files:
        if read.switch is not None and all(other.switch for other in evidence.env_files):
            yield (
                f"{read.place} reads the env file only where {read.switch} is set: set it, or "
                "start programs with `neonup run -- COMMAND`"
            )
            return


def _strict(evidence: Evidence, choice: VariableChoice) -> Iterator[str]:
    """Settings that refuse the key in their env file since no field of theirs has it."""
    for strict in evidence.strict if "pydantic_settings" in evidence.imports else ():
        unknown = [
            name
            for name in (choice.key_name, *choice.templates)
            if name.upper() not in strict.fields
        ]
        if unknown:
            yield (
                f"{strict.place}: {strict.name} refuses lines of its env file that are no fields "
                f'of its own, such as {unknown[0]}; extra="ignore" in model_config lets them pass'
            )


def _tests(files: ProjectFiles, evidence: Evidence) -> Iterator[str]:
    is_django = (files.folder / "manage.py").is_file() and "django" in evidence.imports
    if tools.uses_pytest(files, evidence):
        if not tests_schema.has_plugin(files):
            install = commands.install("pytest")
            yield f"tests run by pytest get databases of their own with neonup's plugin: {install}"
        used = tests_schema.migration(files, evidence)
        if used is not None and not tests_schema.can_be_set(files):
            yield (
                "no conftest makes the schema of the tests' database: `neon_migrate = "
                f"{used.value}` in pytest's ini options, with the plugin, does"
            )
    elif is_django:
        yield "`python manage.py test` makes a test database of its own beside the development one"
    elif "unittest" in evidence.tests:
        yield (
            f"{evidence.tests['unittest'].file} is for unittest: `neonup run --test -- python -m "
            "unittest` gives it a database of its own"
        )


def of_own_file(folder: Path, key: str, env_file: str) -> Iterator[str]:
    """That the project's own file names a database which another file's would replace."""
    own = folder / ".env"
    if Path(env_file) != Path(".env") and is_recorded_by_neonup(own, key):
        yield (
            f".env here names a database that neonup created; `neonup destroy` before env_file is "
            f"{env_file} deletes it"
        )


def of_workspace(pyproject: Path) -> Iterator[str]:
    """That a file is a workspace's, whose members have settings of their own."""
    if members := tools.workspace_members(pyproject):
        yield (
            f"this is the root of a workspace ({', '.join(members[:5])}): a member's own folder is "
            "another project, with settings of its own"
        )
