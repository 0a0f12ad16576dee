"""What a generated Dockerfile does, done in folders: there is no Docker where the tests run.

``/venv``, ``/src`` and ``/srv`` are folders of the test's own. It knows the few instructions that
the templates use, and stops at any other.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.templates.generated import layered_programs

_PLACES = re.compile(r"(?<![\w.])/(venv|src|srv)\b")
_NOT_HERE = ("useradd ", "python -m venv ")


@dataclass
class Image:
    """An image in a folder.

    Args:
        project: the generated project.
        root: the folder that stands for ``/``.
        environ: what Docker would give to each step.
    """

    project: Path
    root: Path
    environ: dict[str, str]
    command: list[str] = field(default_factory=list)

    def build(self) -> None:
        """Follow the Dockerfile."""
        layered_programs(self.root / "venv")
        context = self._context()
        outside = dict(self.environ)
        workdir = self.root
        for instruction, rest in self._instructions():
            match instruction:
                case "FROM":
                    self.environ = dict(outside)
                case "WORKDIR":
                    workdir = self.root / rest.lstrip("/")
                    workdir.mkdir(exist_ok=True)
                case "ENV":
                    for setting in shlex.split(self._here(rest)):
                        name, _, value = setting.partition("=")
                        self.environ[name] = value.replace("$PATH", self.environ["PATH"])
                case "COPY":
                    self._copy(rest, context, workdir)
                case "RUN":
                    self._run(rest, workdir)
                case "CMD":
                    self.command = json.loads(rest)
                case "USER":
                    assert rest.isdigit()  # so that Kubernetes can tell that it is not root
                case "EXPOSE":
                    assert rest == "8000"
                case _:
                    raise NotImplementedError(instruction)

    @property
    def workdir(self) -> Path:
        """Where the image's programs run."""
        return self.root / "srv"

    def run(self, command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """What ``docker run`` would do."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.workdir,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def _instructions(self) -> list[tuple[str, str]]:
        lines = (self.project / "Dockerfile").read_text("utf-8").splitlines()
        said = [line for line in lines if line and not line.startswith("#")]
        return [(words[0], words[2]) for words in (line.partition(" ") for line in said)]

    def _context(self) -> Path:
        """What .dockerignore lets through: it lists what is wanted."""
        rules = (self.project / ".dockerignore").read_text("utf-8").splitlines()
        assert "*" in rules
        context = self.root / "context"
        context.mkdir(parents=True)
        for rule in rules:
            source = self.project / rule.removeprefix("!")
            if rule.startswith("!") and source.is_dir():
                shutil.copytree(source, context / source.name)
            elif rule.startswith("!"):
                shutil.copy2(source, context)
        return context

    def _copy(self, rest: str, context: Path, workdir: Path) -> None:
        words = shlex.split(rest)
        if words[0].startswith("--from="):
            assert words[1] == words[2] == "/venv"
            return
        *sources, target = words
        for source in sources:
            if (context / source).is_dir():
                shutil.copytree(context / source, workdir / target, dirs_exist_ok=True)
            else:
                shutil.copy2(context / source, workdir / target)

    def _run(self, command: str, workdir: Path) -> None:
        if command.startswith(_NOT_HERE):
            return
        done = subprocess.run(
            ["bash", "-c", self._here(command)],
            cwd=workdir,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"RUN {command}\n{done.stdout}{done.stderr}"

    def _here(self, text: str) -> str:
        return _PLACES.sub(lambda match: f"{self.root}/{match[1]}", text)
