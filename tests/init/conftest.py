"""Projects as strangers have them, for `neonup init` to look at."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project, clean_environ


class StrangersProject(Project):
    """A repository in which nobody has heard of neonup."""

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, by their paths from the project's folder."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")

    @property
    def pyproject(self) -> str:
        return (self.folder / "pyproject.toml").read_text("utf-8")

    def proposed(self) -> dict[str, Any]:
        """What ``neonup init`` proposes: settings by name, variables as ``variables.NAME``."""
        return {
            ("variables." if line["table"].endswith("variables") else "") + line["name"]: line[
                "value"
            ]
            for line in self.json("init")["settings"]
        }

    def notes(self) -> str:
        return "\n".join(self.json("init")["notes"])


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The root of a git repository."""
    root = tmp_path / "repository"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    (root / ".gitignore").write_text(".env\n")
    return root


@pytest.fixture
def project(repository: Path, neonup_home: Path) -> StrangersProject:
    """A folder ``backend`` in the repository, with a ``pyproject.toml`` that says little."""
    folder = repository / "backend"
    folder.mkdir()
    environ = clean_environ(neonup_home)
    activated = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    project = StrangersProject(folder, {**environ, "PATH": activated})
    project.write({"pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n'})
    return project
