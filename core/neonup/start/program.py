"""Whether the program that runs is the project's own, or one that may serve anybody."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

TOOLS = frozenset(
    {
        *("aerich", "alembic", "behave", "bpython", "flask", "ipython", "ipython3", "nose2"),
        *("ptipython", "ptpython", "yoyo"),
    }
)
"""Installed programs that only developers start at a terminal: consoles, migrations, tests."""

_PACKAGES = frozenset({"site-packages", "dist-packages"})


def is_own(argv: Sequence[str], project: Path) -> bool:
    """Whether the process runs the project's own code, a console, or one of `TOOLS`.

    Web servers, workers, schedulers and process managers come as installed packages: whoever starts
    one may well mean production, at a terminal as well. There are more of them than a list could
    hold, so any installed program that is not known is taken for one.
    """
    program = argv[0] if argv else ""
    if program in ("", "-", "-c", "-m"):  # a console, or what somebody has typed
        return bool(argv)
    path = Path(program)
    name = path.parent.name if path.stem == "__main__" else path.stem
    if name.lower() in TOOLS:
        return True
    if path.is_dir():
        return (path / "__main__.py").is_file()
    if not path.is_file():  # an embedding server's name for itself, e.g. uWSGI's
        return " -m unittest" in program
    return not _is_installed(path) or _is_command_of(project, path.stem)


def _is_installed(path: Path) -> bool:
    for place in (path.absolute(), path.resolve()):
        if _PACKAGES & set(place.parts) or place.parent in _program_folders():
            return True
    return False


def _program_folders() -> set[Path]:
    import sysconfig

    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    folders = [Path(sysconfig.get_path("scripts", scheme)) for scheme in schemes]
    folders += [Path(sys.executable).parent, Path("/usr/bin"), Path("/usr/local/bin")]
    return {place for folder in folders for place in (folder, folder.resolve())}


def _is_command_of(project: Path, name: str) -> bool:
    """Whether a command is the project's own, which is installed so that it can be edited."""
    import importlib.util
    from importlib.metadata import entry_points

    for command in entry_points(group="console_scripts", name=name):
        spec = importlib.util.find_spec(command.module.partition(".")[0])  # does not import it
        if spec is None:
            continue
        for place in filter(None, [spec.origin, *(spec.submodule_search_locations or [])]):
            path = Path(place).resolve()
            if path.is_relative_to(project.resolve()) and not _PACKAGES & set(path.parts):
                return True
    return False
