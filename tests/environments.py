"""Virtual environments of a test's own, and what is installed in them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import uv

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"

_SCRIPT = "#!{python}\nimport sys\n{code}\nsys.exit(main())\n"
_PROGRAMS = {
    "neonup": "from neonup.cli import main",
    "pip": "from pip._internal.cli.main import main",
}
_ATTEMPTS = 2
_PIP_SECONDS = 600
PATIENT_PIP = {
    "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
    "PIP_DEFAULT_TIMEOUT": "60",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_RETRIES": "5",
}
"""Variables for a pip that asks an index: a connection that stalls is made anew after a minute,
and what was fetched is kept for all tests, also for those whose home is another one."""

_PATIENT_UV = {
    "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
    "UV_HTTP_TIMEOUT": "60",
    "UV_NO_PROGRESS": "1",
    "UV_SYSTEM_CERTS": "1",  # as pip does
}

asks_an_index = pytest.mark.timeout(_ATTEMPTS * _PIP_SECONDS + 600)
"""The mark of tests that install from a package index: the limit is not the network's speed."""


def run_pip(
    python: str | Path, *words: str | Path, environ: Mapping[str, str] | None = None
) -> None:
    """Run a command of a Python's pip, and once more where it fails: no index is tested here.

    Args:
        python: the program whose pip it is.
        words: of the command, like ``"install"`` and the packages.
        environ: its environment; that of the tests where it is None.

    Raises:
        AssertionError: it failed each time, or took too long; has what it printed at last.
    """
    variables = {**(os.environ if environ is None else environ), **PATIENT_PIP}
    _patiently([python, "-m", "pip", *words], variables)


def install(
    python: str | Path, *what: str | Path, environ: Mapping[str, str] | None = None
) -> None:
    """Install into a Python's environment with uv, in a tenth of the time that pip would take.

    Args:
        python: the program of the environment, or its folder.
        what: packages, and options of ``uv pip install``: ``--compile-bytecode`` where more than a
            few programs run there.
        environ: its environment; that of the tests where it is None.

    Raises:
        AssertionError: it failed each time, or took too long; has what it printed at last.
    """
    variables = {**(os.environ if environ is None else environ), **_PATIENT_UV}
    _patiently(
        [uv.find_uv_bin(), "pip", "install", "--quiet", "--python", python, *what], variables
    )


def empty_folder(folder: Path, python: str | Path = sys.executable) -> None:
    """Make an environment of a Python in a folder, with pip and nothing else."""
    made = [uv.find_uv_bin(), "venv", "--quiet", "--clear", "--seed", "--python", python, folder]
    _patiently(made, {**os.environ, **_PATIENT_UV})


def _patiently(argv: Sequence[str | Path], variables: Mapping[str, str]) -> None:
    for _ in range(_ATTEMPTS):
        try:
            done = subprocess.run(
                argv,
                env=dict(variables),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_PIP_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            printed = f"after {error.timeout} s: {error.stderr!r} {error.stdout!r}"
            continue
        if done.returncode == 0:
            return
        printed = f"status {done.returncode}:\n{done.stderr}{done.stdout}"
    command = " ".join(map(str, argv))
    raise AssertionError(f"{command} failed {_ATTEMPTS} times, {printed}")


def layered_environment(folder: Path) -> Path:
    """Make one and return its ``bin``: what the tests have is installed, the rest is its own.

    ``pip install`` there installs into it alone; its ``neonup`` and ``pip`` are its own Python's.
    """
    venv.EnvBuilder(symlinks=True).create(folder)
    below = sysconfig.get_path("purelib")
    site = sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)})
    # addsitedir and not the bare path, so that its .pth files (editable installs) count as well.
    Path(site, "below.pth").write_text(f"import site; site.addsitedir({below!r})\n")
    programs = folder / "bin"
    for name, code in _PROGRAMS.items():
        script = programs / name
        script.write_text(_SCRIPT.format(python=programs / "python", code=code))
        script.chmod(0o755)
    return programs


def offline_pip(environ: dict[str, str], programs: Path) -> dict[str, str]:
    """The environment for programs of such a place, where pip asks no network."""
    return {
        **environ,
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), environ["PATH"]]),
        "PIP_NO_INDEX": "1",
        "PIP_NO_INPUT": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # 0 switches isolation off: pip negates the option's name
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
