"""How far a copy is, is measured: at its end all of it is there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.project import Project, clean_environ

SEEN = """
import json
from contextlib import contextmanager
from neonup import progress

@contextmanager
def display(what, how_far):
    yield
    far = how_far()
    print(json.dumps([what, far and far.done / far.total, far and far.words]))

progress.show_with(display)
import neonup
with progress.work("All"):
    neonup.ensure()
    neonup.checkpoint("running")
"""


def test_a_first_database_and_a_copy_of_it(cold_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    project = Project(folder, clean_environ(cold_home, NEONUP_ENV="development"))
    done = project.python(SEEN)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    measured = {what: (share, words) for what, share, words in lines}
    assert [*measured][-1] == "All"
    engine, words = measured["Copying Postgres out of its wheel"]
    assert 0.95 < engine <= 1 and " MB of " in words
    assert any(what.startswith("Making the first data of Postgres 1") for what in measured)
    data, words = measured["Copying the data"]
    assert 0.9 < data <= 1 and " MB of " in words
