"""The templates as they travel in the wheel of the core."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.environments import layered_environment, offline_pip
from tests.project import clean_environ
from tests.templates.generated import TEMPLATES, contents, neonup_new

CORE = TEMPLATES.parent / "core"
_HATCHLING = "from hatchling.cli import hatchling; raise SystemExit(hatchling())"


@pytest.fixture(scope="module", params=["from the repository", "from the source distribution"])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The core's wheel, built both ways."""
    out = tmp_path_factory.mktemp("built")
    source = str(CORE)
    if request.param == "from the source distribution":
        subprocess.run(
            [sys.executable, "-c", _HATCHLING, "build", "-t", "sdist", "-d", str(out)],
            cwd=CORE,
            check=True,
            capture_output=True,
        )
        (sdist,) = out.glob("*.tar.gz")
        source = str(sdist)
    offline = ["--no-index", "--no-build-isolation", "--no-deps", "--wheel-dir", str(out)]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", *offline, source],
        check=True,
        capture_output=True,
    )
    (built,) = out.glob("*.whl")
    return built


def test_every_file_is_in_it(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "."], cwd=TEMPLATES, check=True, capture_output=True, text=True
    ).stdout
    expected = {name for name in listed.split("\0") if name}
    prefix = "neonup/_templates/"
    with zipfile.ZipFile(wheel) as archive:
        files = archive.namelist()
        packed = {name.removeprefix(prefix) for name in files if name.startswith(prefix)}
        assert packed == expected
        for name in packed:
            assert archive.read(prefix + name) == (TEMPLATES / name).read_bytes()


def test_installed_it_makes_what_the_repository_makes(
    wheel: Path, tmp_path: Path, neonup_home: Path, shell: dict[str, str]
) -> None:
    programs = layered_environment(tmp_path / "environment")
    environ = offline_pip(clean_environ(neonup_home), programs)
    pip = str(programs / "pip")
    install = [pip, "install", "--quiet", "--force-reinstall", "--no-deps", str(wheel)]
    subprocess.run(install, env=environ, check=True, capture_output=True)
    installed, here = tmp_path / "installed", tmp_path / "here"
    for place, python in ((installed, programs / "python"), (here, None)):
        place.mkdir()
        for template in ("django", "fastapi", "provider"):
            made = neonup_new(place, template, template + "s", "-y", environ=shell, python=python)
            assert made.returncode == 0, made.stderr
    code = "import neonup.templates as t; print(t.folder())"
    found = subprocess.run(
        [programs / "python", "-c", code], env=environ, check=True, capture_output=True, text=True
    ).stdout
    assert Path(found.strip()).is_relative_to(tmp_path)
    assert contents(installed) == contents(here)
