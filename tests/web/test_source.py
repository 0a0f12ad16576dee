"""Where the database comes from, and what a framework says of it."""

from __future__ import annotations

import pytest

from tests.project import Project

ASK = """
import sys
from neonup import CreationForbidden
from neonup_web.source import DatabaseSource, Signs

source = DatabaseSource(signs=lambda: Signs({signs}))
print(source.is_development())
try:
    print(source.ensure().provider)
except CreationForbidden as error:
    print(error.message)
"""


@pytest.mark.parametrize(
    ("signs", "environ", "is_development", "outcome"),
    [
        ("", {}, False, "nothing here says that this is development"),
        ("'the debug mode'", {}, True, "local"),
        ("against='DEBUG is off'", {}, False, "DEBUG is off"),
        ("against='DEBUG is off'", {"NEONUP_ENV": "development"}, True, "local"),
        ("'the debug mode', 'DEBUG is off'", {}, False, "DEBUG is off"),
        ("'the debug mode'", {"NEONUP_ENV": "production"}, False, "env = production"),
    ],
)
def test_the_signs_of_a_framework_decide_and_are_told_alike(
    project: Project, signs: str, environ: dict[str, str], is_development: bool, outcome: str
) -> None:
    done = project.python(ASK.format(signs=signs), **environ)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == str(is_development)
    assert outcome in second
    assert project.env_file.exists() == is_development
