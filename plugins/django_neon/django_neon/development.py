"""What Django knows of where it runs: which project, which command, development or not."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath

import neonup
from neonup_web.source import Signs

SERVERS = frozenset({"runserver", "runserver_plus"})
"""The management commands that serve, and go on where a database is missing."""

OFFLINE = frozenset({"check", "collectstatic"})
"""Those that are run where no database is wanted, e.g. when an image is built."""

_COMMANDS = frozenset(
    {
        "createsuperuser",
        "dbshell",
        "makemigrations",
        "migrate",
        "shell",
        "shell_plus",
        "showmigrations",
        "test",
    }
)
"""Together with the ones above, what identifies a manage.py of another name."""

_ASGI = frozenset({"daphne", "hypercorn", "uvicorn"})
_PROGRAMS = _ASGI | {"celery"}
"""Programs besides manage.py for which ``DEBUG`` is enough of a sign."""

_TESTS = "tests use only the local provider"


def signs() -> Signs:
    """What the settings and the command line say, now that both are final."""
    from django.conf import settings

    program = command()
    if program == "test":  # which turns DEBUG off
        return Signs("manage.py test", local_only=_TESTS)
    if not settings.DEBUG:
        return Signs(against="DEBUG is off")
    if program is None:
        return Signs()
    if goes_without():
        return Signs(against=f"{program} does not need one")
    return Signs(f"{program} with DEBUG on")


def is_development() -> bool:
    """Whether ``DEBUG`` is on, or these are tests, which turn it off."""
    from django.conf import settings

    return bool(settings.DEBUG) or are_tests()


def are_tests() -> bool:
    """Whether this is ``manage.py test`` or pytest."""
    return command() == "test" or any(
        name in os.environ for name in ("PYTEST_VERSION", "PYTEST_CURRENT_TEST")
    )


def serves() -> bool:
    """Whether this serves pages: not a command, whose own work migrations might disturb."""
    return command() in SERVERS | _ASGI


def goes_without() -> bool:
    """Whether the command looks at a database if there is one, and goes on if there is none."""
    program = command()
    looks = program == "makemigrations" and bool({"--check", "--dry-run"} & set(sys.argv))
    return program in OFFLINE or looks


def command() -> str | None:
    """The management command that runs, or the program; None for an unknown one."""
    program, *arguments = sys.argv or [""]
    path = PurePath(program)
    if path.stem in ("manage", "django-admin") or path.parts[-2:] == ("django", "__main__.py"):
        return arguments[0] if arguments else None
    if arguments and arguments[0] in _COMMANDS | SERVERS | OFFLINE:
        return arguments[0]
    names = {path.stem, path.parent.name} if path.stem == "__main__" else {path.stem}
    return next(iter(names & _PROGRAMS), None)


def project() -> Path | None:
    """The project's folder, from ``BASE_DIR`` or the settings module upward; None: unknown."""
    from django.conf import settings

    base = getattr(settings, "BASE_DIR", None)
    if base is None:
        name = getattr(settings, "SETTINGS_MODULE", None)
        file = getattr(sys.modules.get(name or ""), "__file__", None)
        base = None if file is None else Path(file).parent
    return None if base is None else neonup.find_project(Path(base))


def migrate_command(alias: str) -> str:
    """The command that migrates a database, to be run in the project's folder."""
    import shlex

    program = Path(sys.argv[0] if sys.argv else "")
    start = [str(program.absolute())] if program.name == "manage.py" else ["-m", "django"]
    return shlex.join([sys.executable, *start, "migrate", "--noinput", f"--database={alias}"])
