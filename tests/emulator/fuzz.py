"""Schemathesis against the local Neon: random requests of every operation that it carries out.

``python -m tests.emulator.fuzz PATH-OF-SCHEMATHESIS [OPTION...]``. It has an environment of its own,
since its plugin would be loaded by every pytest that the tests start.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from neonup_emulator.api.v2.operations import OPERATIONS
from neonup_emulator.api.v2.routes import routes
from tests.conftest import make_home, remove_home
from tests.emulator.api import Api
from tests.emulator.document import PATH
from tests.emulator.serving import NeonServer, serving

_ENDING = {"deleteProject", "revokeApiKey", "revokeOrgApiKey"}
"""What would end the project or the key that the other requests need."""


def main(program: str, *options: str) -> int:
    """Run it; 0 where nothing was found."""
    if not PATH.exists():
        print("Neon's OpenAPI document is not on this machine: nothing was tried.")
        return 0
    home = make_home()
    try:
        with serving(home) as server, tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "schemathesis.toml"
            config.write_text(_parameters(server), encoding="utf-8")
            found = [str(Path(program).resolve()), "--config-file", str(config)]
            return _run(server, found, options, folder)
    finally:
        remove_home(home)


def _run(server: NeonServer, program: list[str], options: tuple[str, ...], folder: str) -> int:
    routes()  # importing them registers the operations
    ids = sorted({one.id for one in OPERATIONS} - _ENDING)
    command = [
        *(*program, "run", str(PATH.resolve()), "--url", server.base),
        *("-H", f"Authorization: Bearer {server.key}"),
        *("--checks", "not_a_server_error,response_schema_conformance"),
        *("--phases", "fuzzing,coverage", "--mode", "all", "--max-examples", "15"),
        *("--request-timeout", "60", "--warnings", "off"),
        *(word for id_ in ids for word in ("--include-operation-id", id_)),
        *options,
    ]
    # It leaves a cache where it runs.
    return subprocess.run(command, check=False, cwd=folder).returncode


def _parameters(server: NeonServer) -> str:
    """A project of whose parts requests are made, beside random names."""
    project = Api(server.base, server.key).create_project(name="fuzzed")
    values = {
        "project_id": project.id,
        "branch_id": project.branch,
        "endpoint_id": project.endpoint,
        "role_name": "neondb_owner",
        "database_name": "neondb",
        "db_name": "neondb",
        "org_id": server.org_id,
    }
    return "[parameters]\n" + "".join(f'{name} = "{value}"\n' for name, value in values.items())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
