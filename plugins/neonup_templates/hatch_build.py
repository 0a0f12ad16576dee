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
        templates = Path(self.root).parents[1] / "templates"
        for file in sorted(templates.rglob("*")):
            place = file.relative_to(templates).as_posix()
            # A folder would come with what git ignores: caches, and the .env of a trial.
            if file.is_file() and not self.build_config.path_is_excluded(place):
                build_data["force_include"][str(file)] = f"neonup_templates/_templates/{place}"
