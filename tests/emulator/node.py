"""Scripts for Node, run where Neon's official clients are installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parent.parent / "clients"
NODE = shutil.which("node")


def run_script(script: str, environ: Mapping[str, str]) -> Any:
    """What a script, which may import the clients, writes as JSON."""
    assert NODE
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script],
        cwd=CLIENTS,
        env={**environ, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
