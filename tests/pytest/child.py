"""A project with tests of its own, run as its user would run them."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest
from packaging.version import Version

from tests.environments import install, layered_environment
from tests.programs import Program
from tests.project import Project

MEMORY = Path("/dev/shm")
_LOOPS = "asyncio_default_fixture_loop_scope"
_LEFT_OUT = ("cacheprovider", "hypothesispytest", "pytest_cov", "pytest_postgresql")
_WITHOUT = [word for name in _LEFT_OUT for word in ("-p", f"no:{name}")]
"""No child uses them, and they take as long to import as all the rest of pytest."""
_KNOWS_LOOPS = Version(version("pytest-asyncio")) >= Version("0.24")


@dataclass
class Run:
    """A run that has ended."""

    code: int
    output: str

    @property
    def outcomes(self) -> dict[str, int]:
        """How many passed and failed, as pytest says at the end."""
        try:
            return pytest.RunResult.parse_summary_nouns(self.output.splitlines())
        except ValueError:
            return {}

    def expect(self, code: int = 0, /, **outcomes: int) -> Run:
        """Make sure that it ended like that, and with nothing else than these outcomes."""
        found = {name: n for name, n in self.outcomes.items() if name != "warnings"}
        assert (self.code, found) == (code, outcomes), self.output
        return self

    def refused(self, *says: str) -> Run:
        """Make sure that it ended with a usage error that says this, once."""
        assert self.code == pytest.ExitCode.USAGE_ERROR, self.output
        assert "Traceback" not in self.output, self.output
        assert "INTERNALERROR" not in self.output, self.output
        for text in says:
            assert self.output.count(text) == 1, self.output
        return self

    def said(self, name: str) -> list[str]:
        """What tests have printed as ``name=value`` (with ``-s``)."""
        lines = self.output.splitlines()
        return [line.split(f"{name}=", 1)[1] for line in lines if f"{name}=" in line]


@dataclass
class Child(Project):
    """The project's folder, and the environment of the shell in it."""

    before: list[str] = field(default_factory=list)
    """Words before its command, that run it as somebody else."""
    new_session: bool = False
    has_imports: bool = True
    """Whether its pytest may be forked from one that has imported what most runs import."""
    program: str = sys.executable
    """The Python that its commands run with."""

    def install(self, folder: Path, packages: Sequence[str]) -> None:
        """Let it run with these packages, over the tests' own; the package index is asked."""
        programs = layered_environment(folder)
        self.program = str(programs / "python")
        install(self.program, "--compile-bytecode", "--no-deps", *packages)

    def write(self, **files: str) -> None:
        """Write modules by their names, ``__`` for a slash: ``app``, ``tests__conftest``."""
        for name, text in files.items():
            self.file(f"{name.replace('__', '/')}.py", text)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
        return path

    def ini(self, text: str = "") -> None:
        """The ini file's section for pytest."""
        text = textwrap.dedent(text)
        if _LOOPS not in text and _KNOWS_LOOPS:
            text = f"{_LOOPS} = function\n{text}"  # pytest-asyncio warns where it is not set
        self.file("pytest.ini", f"[pytest]\n{text}")

    def argv(self, args: Sequence[str]) -> list[str]:
        return [*self.before, self.program, "-m", "pytest", *_WITHOUT, "-q", *args]

    def pytest(self, *args: str, **environ: str) -> Run:
        with self.started(*args, **environ) as process:
            try:
                output, _ = process.communicate(timeout=240)
            except subprocess.TimeoutExpired:
                process.terminate()
                raise AssertionError(process.communicate()[0]) from None
        return Run(process.returncode, output)

    @contextmanager
    def started(self, *args: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
        """A run that goes on while the test does something else; ended where that fails."""
        with self.spawned(*args, **environ) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise

    def spawned(self, *args: str, **environ: str) -> subprocess.Popen[str]:
        start = Program if self.has_imports else subprocess.Popen
        return start(
            self.argv(args),
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=self.new_session,
        )

    @property
    def home(self) -> Path:
        return Path(self.environ["NEONUP_HOME"])

    @property
    def data(self) -> list[Path]:
        """The data folders of this home's servers, of living runs and of dead ones."""
        found = [*self.home.glob("tests/runs/*/server")]
        for owner in MEMORY.glob("neonup-*/run"):
            try:
                if Path(owner.read_text()).is_relative_to(self.home):
                    found.append(owner.parent)
            except OSError:
                continue
        return found

    @property
    def servers(self) -> list[psutil.Process]:
        """The postmasters of this home's test servers."""
        folders = [str(folder / "data") for folder in self.data]
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            if process.info["status"] != psutil.STATUS_ZOMBIE and {*words} & {*folders}:
                found.append(process)
        return found

    @property
    def processes(self) -> list[list[str]]:
        """The command lines of whatever runs in the folders of this home's test runs."""
        place = f"{self.home / 'tests' / 'runs'}/"
        found = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
        return [words for words in found if any(word.startswith(place) for word in words)]

    def assert_nothing_left(self) -> None:
        assert self.data == []
        assert [*(self.home / "tests").glob("runs/*")] == []
        assert [path.name for path in self.home.glob("locks/.test-*")] == []
        assert self.processes == []
