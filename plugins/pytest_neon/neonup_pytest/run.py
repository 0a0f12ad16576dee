"""Which run this process belongs to, and who it is in it."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass

VARIABLE = "NEONUP_TEST_RUN"
"""What the process that begins a run tells its workers: its pid, and the run's id."""

_WORKER = "PYTEST_XDIST_WORKER"
ALONE = "main"


@dataclass(frozen=True)
class RunId:
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
