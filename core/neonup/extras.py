"""How an extra is added to the environment that neonup runs in."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_TOOLS = {
    "pipx_metadata.json": "pipx runpip neonup install {}",
    "uv-receipt.toml": "uv tool install {}",
}
"""The file that a tool keeps in the environment of a program it installed: pipx in each folder of
``venvs``, uv in each of ``uv tool dir``."""


def install(extra: str) -> str:
    """The command that adds an extra, for a remedy.

    The ``neonup`` of pipx or of ``uv tool`` has an environment of its own, which the pip of the
    project does not reach.
    """
    requirement = f'"neonup[{extra}]"'
    for file, command in _TOOLS.items():
        if Path(sys.prefix, file).is_file():
            return command.format(requirement)
    return f"pip install {requirement}"


def install_or_use(extra: str) -> str:
    """As `install`; another environment's ``neonup`` is named, too, where one is on ``PATH``."""
    command = install(extra)
    other = _other_program()
    return f"{command}, or use the neonup of another environment: {other}" if other else command


def _other_program() -> str | None:
    """The first ``neonup`` on ``PATH`` that is not of the environment that this process runs in."""
    for folder in os.get_exec_path():
        program = shutil.which("neonup", path=folder)
        if program and not Path(program).resolve().is_relative_to(Path(sys.prefix).resolve()):
            return program
    return None
