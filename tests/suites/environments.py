"""Where the suites run: their sources, and the Pythons with what they need."""

from __future__ import annotations

import shutil
import sys
import tarfile
from functools import partial
from pathlib import Path

from engine import parts, wheel_cache
from tests.environments import CONSTRAINTS, empty_folder, install, run_pip
from tests.suites.catalog import ENVIRONMENTS, Suite

REPOSITORY = Path(__file__).parents[2]
_CACHE = REPOSITORY / "build" / "suites"
_OURS = (
    "core",
    "plugins/neonup_local",
    "plugins/pytest_neon",
    "plugins/django_neon",
    "plugins/neonup_web",
)


def python(environment: str) -> Path:
    """The Python of an environment, which is made where it is not there, or has other pins."""
    folder = REPOSITORY / f".venv-suites-{environment}"
    stamp, pins = folder / ".installed", "\n".join(ENVIRONMENTS[environment])
    binary = folder / "bin" / "python"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != pins:
        empty_folder(folder)
        into = partial(install, binary, "--compile-bytecode")
        into(f"--constraint={CONSTRAINTS}", "--group", f"{REPOSITORY / 'pyproject.toml'}:build")
        ours = [word for path in _OURS for word in ("--editable", str(REPOSITORY / path))]
        into("--no-build-isolation", *ours, *_engine())
        into(*ENVIRONMENTS[environment])  # some are sdists, and say themselves what builds them
        stamp.write_text(pins, encoding="utf-8")
    return binary


def _engine() -> list[str]:
    """The wheel of the complete engine, so that both sides have the same Postgres."""
    platform = parts.this_machine()
    return [] if platform is None else [str(wheel_cache.cached(platform, parts.NEWEST))]


def sources(suite: Suite) -> Path:
    """The folder with a suite's sdist, which is fetched once."""
    folder = _CACHE / f"{suite.name}-{suite.version}"
    if not folder.is_dir():
        temporary = folder.with_suffix(".new")
        shutil.rmtree(temporary, ignore_errors=True)
        fetch = ("download", "--quiet", "--no-deps", f"--no-binary={suite.name}")
        run_pip(sys.executable, *fetch, "--dest", temporary, f"{suite.name}=={suite.version}")
        (archive,) = temporary.glob("*.tar.gz")
        with tarfile.open(archive) as file:
            file.extractall(temporary, filter="data")
        (unpacked,) = (path for path in temporary.iterdir() if path.is_dir())
        folder.parent.mkdir(parents=True, exist_ok=True)
        unpacked.rename(folder)
        shutil.rmtree(temporary)
    return folder
