"""The templates as they travel in their wheel."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.environments import layered_environment, offline_pip
from tests.project import clean_environ
from tests.release.building import build
from tests.templates.generated import TEMPLATES, contents, neonup_new

SOURCE = TEMPLATES.parent / "plugins/neonup_templates"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel; `tests/release` compares it with the source distribution's."""
    return build(SOURCE, tmp_path_factory.mktemp("built"), "wheel")


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
    code = "import neonup_templates.templates as t; print(t.folder())"
    found = subprocess.run(
        [programs / "python", "-c", code], env=environ, check=True, capture_output=True, text=True
    ).stdout
    assert Path(found.strip()).is_relative_to(tmp_path)
    assert contents(installed) == contents(here)
