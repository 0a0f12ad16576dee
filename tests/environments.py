"""A virtual environment of a test's own, laid over the one that runs the tests."""

from __future__ import annotations

import os
import sys
import sysconfig
import venv
from pathlib import Path

_SCRIPT = "#!{python}\nimport sys\n{code}\nsys.exit(main())\n"
_PROGRAMS = {
    "neonup": "from neonup.cli import main",
    "pip": "from pip._internal.cli.main import main",
}


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
