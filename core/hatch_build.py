"""Puts the templates of the repository into the wheel.

A source distribution has them in place already, where the wheel takes them from the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TemplatesHook(BuildHookInterface[Any]):
    """hatchling's custom hook, for both targets."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add what is in the repository to the files of a build; an editable one needs none."""
        templates = Path(self.root).parent / "templates"
        if templates.is_dir():
            build_data["force_include"][str(templates)] = "neonup/_templates"
