"""Which run this process belongs to, and who it is in it."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pytest

VARIABLE = "NEONUP_TEST_RUN"
"""What the process that begins a run tells its workers: its pid, and the run's id."""

_WORKER = "PYTEST_XDIST_WORKER"
ALONE = "main"


class RunId(NamedTuple):
    """A run's id, and the name of this process in it: ``main``, or a worker's ``gw0``."""

    id: str
    worker: str


def of_process(environ: MutableMapping[str, str] = os.environ) -> RunId:
    """The run that pytest-xdist made this process for, else a new one.

    A run that a test starts inherits the variables as well, but is no child of that process.
    """
    pid, _, id_ = environ.get(VARIABLE, "").partition(":")
    worker = environ.get(_WORKER)
    if worker and id_ and pid == str(os.getppid()):
        return RunId(id_, worker)
    id_ = os.urandom(4).hex()
    environ[VARIABLE] = f"{os.getpid()}:{id_}"
    return RunId(id_, ALONE)


def remove_what_dead_workers_left(config: pytest.Config) -> None:
    """Remove the servers and folders of workers that were ended before they could do it."""
    if find_spec("neonup_local") is None:
        return
    import neonup
    from neonup_local.test_server import sweep

    sweep(neonup.resolve(neonup.find_project(config.rootpath)).home)
