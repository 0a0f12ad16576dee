"""What a user of the command sees when neon.new misbehaves: a few clear lines, nothing written."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.contract.neon_new_client import GOOD, URL
from tests.contract.wire import Script, answer, hang, raw, wire
from tests.project import Project, clean_environ

FAILURES: dict[str, Script] = {
    "hangs": hang(b"HTTP/1.1 200 OK\r\n"),
    "cut": raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"),
    "500": answer({"message": "Failed to create the database."}, 500),
    "429": answer({}, 429, retry_after="999"),
    "page": answer("<html>Sign in to this network</html>", kind="text/html"),
    "truncated": answer('{"id": "01a2'),
    "types": answer(GOOD | {"connection_string": {"url": URL}}),
    "redirect": answer("", 302, location="https://elsewhere.example/?key=sesame"),
    "10 MiB": answer(b"x" * 10 * 2**20),
    "newline": answer(GOOD | {"connection_string": f"{URL}\nPATH=/tmp/evil"}),
    "shell": answer(GOOD | {"connection_string": f"{URL}&a=$(touch evil)`touch evil`"}),
    "file": answer(GOOD | {"connection_string": f"{URL}&sslkeylogfile=/tmp/evil"}),
    "claimed": answer(GOOD | {"connection_string": None, "status": "CLAIMED"}),
}


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    folder = tmp_path / "shop"
    folder.mkdir()
    environ = {"NEONUP_PROVIDER": "neon.new", "NEONUP_NEON_NEW_TIMEOUT": "1"}
    return Project(folder, clean_environ(neonup_home, **environ))


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("before", [None, b"DEBUG=1\n"], ids=["no .env", "a .env"])
def test_a_failure_is_a_few_clear_lines_and_nothing_is_written(
    project: Project, kind: str, before: bytes | None
) -> None:
    if before is not None:
        project.env_file.write_bytes(before)
    with wire(FAILURES[kind]) as service:
        said = project.fails("-y", NEONUP_NEON_NEW_URL=service.api)
    assert "neon.new" in said
    assert "->" in said
    assert len(said.splitlines()) <= 6
    for secret in ("npg_secret", "evil", "sesame"):
        assert secret not in said
    found = project.env_file.read_bytes() if project.env_file.exists() else None
    assert found == before
    left = {path.name for path in project.folder.iterdir()} - {".env"}
    assert left == set()


def test_no_network_names_the_local_provider(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    said = project.fails("-y", NEONUP_NEON_NEW_URL=f"http://127.0.0.1:{port}/api/v1")
    assert "cannot be reached" in said
    assert "neonup[local]" in said


def test_a_failure_in_json_is_json(project: Project) -> None:
    with wire(answer({"message": "no"}, 403)) as service:
        done = project.neonup("-y", "--json", NEONUP_NEON_NEW_URL=service.api)
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "service"
    assert "status 403: no" in error["message"]
    assert error["checked"] == [f"POST {service.api}/database"]
