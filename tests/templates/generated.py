"""Projects made from the templates, and what their README and their workflow tell one to type."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import httpx
import yaml

from tests import asking
from tests.environments import layered_environment, offline_pip
from tests.project import clean_environ

TEMPLATES = Path(__file__).parents[2] / "templates"
SECONDS = 120.0

_SCRIPT = "#!{python}\nimport sys\nfrom {module} import {name}\n{main}"
_MAIN = "if __name__ == '__main__':\n    sys.exit({name}())\n"
_SHELL_BLOCK = re.compile(r"```sh\n(.*?)\n```", re.S)


def questions(template: str) -> dict[str, list[str]]:
    """What a template asks beside the name: the variables and their values."""
    content = json.loads((TEMPLATES / template / "cookiecutter.json").read_text("utf-8"))
    asked = (name for name in content if not name.startswith("_") and name != "project_name")
    return {name: content[name] for name in asked}


def combinations(template: str) -> list[dict[str, str]]:
    """All answers to a template's questions."""
    asked = questions(template)
    return [dict(zip(asked, values, strict=True)) for values in itertools.product(*asked.values())]


def cookiecutter(
    folder: Path, template: str, name: str, answers: Mapping[str, str], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What somebody types who has cookiecutter alone."""
    given = [f"{variable}={value}" for variable, value in {"project_name": name, **answers}.items()]
    words = ["-m", "cookiecutter", "--no-input", "-o", str(folder), str(TEMPLATES / template)]
    return _run([sys.executable, *words, *given], folder, environ)


def neonup_new(
    folder: Path, template: str, *words: str, environ: Mapping[str, str], python: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """``neonup new``, in a folder."""
    program = str(python or sys.executable)
    return _run([program, "-m", "neonup", "new", template, *words], folder, environ)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@dataclass
class Generated:
    """A generated project, and the environment of a shell in it.

    Its ``.venv`` lies over the environment of the tests, so that nothing is downloaded; it is not
    activated, and nothing of the tests' environment is on PATH.
    """

    folder: Path
    environ: dict[str, str]

    @classmethod
    def at(cls, folder: Path, neonup_home: Path, **more: str) -> Generated:
        """The project in a folder, with an environment in place."""
        programs = layered_programs(folder / ".venv")
        bare = bare_shell(folder, neonup_home)
        environ = {**offline_pip(bare.environ, programs), "PATH": bare.environ["PATH"]}
        environ["PYTEST_ADDOPTS"] = "-p no:asyncio"  # the tests' plugin, not the project's
        return cls(folder, {**environ, **more})

    @property
    def commands(self) -> list[str]:
        """The README's commands, in their order."""
        return _SHELL_BLOCK.findall((self.folder / "README.md").read_text("utf-8"))

    @property
    def workflow(self) -> list[str]:
        """What the CI workflow runs, after it has installed."""
        path = self.folder / ".github" / "workflows" / "ci.yml"
        (job,) = yaml.safe_load(path.read_text("utf-8"))["jobs"].values()
        assert "services" not in job
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert runs[0] == 'pip install -e ".[dev]"'
        return runs[1:]

    def run(self, command: str, **environ: str) -> str:
        """What a shell command that must succeed prints."""
        done = _run(["bash", "-c", command], self.folder, {**self.environ, **environ})
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def running(self, command: str) -> AbstractContextManager[Running]:
        """A shell command that goes on until the end of the block."""
        return running(command, self.folder, self.environ)


def bare_shell(folder: Path, neonup_home: Path) -> Generated:
    """A project where ``python3`` is this Python, with nothing but its own library."""
    tools = folder.parent / "tools"
    tools.mkdir()
    (tools / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    environ = clean_environ(neonup_home)
    return Generated(
        folder, environ | {"HOME": str(folder.parent), "PATH": f"{tools}:/usr/bin:/bin"}
    )


@dataclass
class Running:
    """A command that was started, and what it has printed."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def wait_for(self, url: str, *, seconds: float = SECONDS) -> None:
        """Until something answers there."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, f"it has ended:\n{self.said}"
            assert time.monotonic() < deadline, f"{url} does not answer:\n{self.said}"
            try:
                asking.get(url, timeout=SECONDS)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return


@contextmanager
def running(command: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Running]:
    """A shell command that goes on until the end of the block."""
    log = folder.parent / "running.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Running(process, log)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and what it has started, politely at first."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(60)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def layered_programs(folder: Path) -> Path:
    """An environment over that of the tests, with the programs of what is installed there."""
    programs = layered_environment(folder)
    python = programs / "python"
    for entry in entry_points(group="console_scripts"):
        script = programs / entry.name
        if script.exists():
            continue
        main = _MAIN.format(name=entry.attr)
        text = _SCRIPT.format(python=python, module=entry.module, name=entry.attr, main=main)
        script.write_text(text, "utf-8")
        script.chmod(0o755)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff
    (programs / "ruff").symlink_to(ruff)
    return programs


def _run(
    argv: Sequence[str], folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv,
        cwd=folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=5 * SECONDS,
        check=False,
    )
