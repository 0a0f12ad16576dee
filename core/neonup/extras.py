"""How an extra is added to the environment that neonup runs in."""

from __future__ import annotations

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

    Args:
        extra: its name, e.g. ``local``.
    """
    requirement = f'"neonup[{extra}]"'
    for file, command in _TOOLS.items():
        if Path(sys.prefix, file).is_file():
            return command.format(requirement)
    return f"pip install {requirement}"
