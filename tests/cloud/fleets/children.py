"""What child processes do with a fleet: ``python -m tests.cloud.fleets.children PREFIX CALL``.

The environment says where Neon is. The id of the project is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

from neonup.plugin.http import Sender
from neonup_cloud import NeonClient
from neonup_cloud.fleets import Fleet, MigrationTarget
from tests.cloud.fleets.fleets import TIERS
from tests.emulator.serving import NeonServer
from tests.programs import Program

USER = "anna"
ROOT = Path(__file__).parents[3]


def call(fleet: Fleet[Sender], name: str) -> object:
    """One of the calls that change something; each can be repeated."""
    if name == "provision":
        return fleet.provision(USER, "free").project_id
    if name == "change_tier":
        return fleet.change_tier(USER, "pro").project.project_id
    if name == "delete":
        return fleet.delete(USER, wait=timedelta(days=1))
    if name == "delete_now":
        return fleet.delete(USER)
    if name.startswith("migrate:"):
        return fleet.migrate(hang_at_the_second, concurrency=1, journal=Path(name[8:]))
    return fleet.undelete(USER).project_id


_seen: list[MigrationTarget] = []


def hang_at_the_second(target: MigrationTarget) -> None:
    """Work that is done for one project and never ends for the next."""
    _seen.append(target)
    if len(_seen) == 2:
        print("second", flush=True)
        threading.Event().wait()


def start(server: NeonServer, base: str, prefix: str, name: str) -> subprocess.Popen[str]:
    """A child that makes a call, through a relay or not."""
    return Program(
        [sys.executable, "-m", "tests.cloud.fleets.children", prefix, name],
        cwd=ROOT,
        env={**os.environ, **server.environment, "NEON_API_HOST": base},
        stdout=subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    with NeonClient() as neon:
        print(call(Fleet(neon, TIERS, prefix=sys.argv[1]), sys.argv[2]))
