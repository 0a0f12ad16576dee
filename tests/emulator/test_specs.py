"""``make specs``: what Neon's newest client knows that the document at hand does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docsite import specs
from docsite.operation import ROOT
from neonup_emulator.api.v2.not_here import NOT_HERE
from neonup_emulator.api.v2.operations import OPERATIONS
from neonup_emulator.api.v2.routes import routes
from tests.emulator import document

sdk_is_there = pytest.mark.skipif(
    not specs.SDK.exists(), reason="@neon/sdk is not installed: npm ci in tests/clients"
)

_OPERATION = """
const {name} = (options) => (options.client ?? client).{method}({{
\tsecurity: [{{
\t\turl: "not this one"
\t}}],
\turl: "{path}",
\t...options
}});
"""
_TYPES = """\
export type Snapshot = {
    /**
     * The id: of the snapshot.
     */
    id: string;
    slug?: string;
    parts: {
        inner: string;
    };
};
export type Plan = 'free' | 'paid';
export type CreateSnapshotData = {
    path: {
        project_id: string;
    };
    query?: {
        name?: string;
        slug?: string;
    };
    url: '/projects/{project_id}/snapshot';
};
"""


def sdk(folder: Path, *operations: tuple[str, str, str]) -> Path:
    """A package as it is generated."""
    client = folder / "dist/client"
    client.mkdir(parents=True)
    source = "".join(
        _OPERATION.format(name=name, method=method, path=path) for name, method, path in operations
    )
    (client / "sdk.gen.js").write_text(source)
    (client / "types.gen.d.ts").write_text(_TYPES)
    return folder


def older(folder: Path) -> Path:
    """A document that knows less."""
    snapshot: dict[str, Any] = {"properties": {"id": {}, "parts": {}}}
    operation = {"operationId": "createSnapshot", "parameters": [{"name": "name", "in": "query"}]}
    content: dict[str, Any] = {
        "paths": {"/projects/{project_id}/snapshot": {"post": operation}},
        "components": {"schemas": {"Snapshot": snapshot}},
    }
    path = folder / "openapi.json"
    path.write_text(json.dumps(content))
    return path


def run(document: Path, package: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "docsite.specs", "--document", document, "--sdk", package],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_new_operations_fields_and_parameters_are_printed(tmp_path: Path) -> None:
    known = "/projects/{project_id}/branches/{branch_id}/triggers"
    package = sdk(
        tmp_path / "sdk",
        ("createSnapshot", "post", "/projects/{project_id}/snapshot"),
        ("listProjectBranchTriggers", "get", known),
        ("createMoons", "post", "/moons"),
    )
    done = run(older(tmp_path), package)
    assert done.returncode != 0
    assert "UNKNOWN" in done.stderr
    assert [line.split(maxsplit=1) for line in done.stdout.splitlines()[1:]] == [
        ["UNKNOWN", "createMoons: POST /moons"],
        ["carried", f"out listProjectBranchTriggers: GET {known}"],
        ["UNKNOWN", "createSnapshot: POST /projects/{project_id}/snapshot"],
        ["new", "name    Snapshot.slug"],
        ["new", "name    createSnapshot.slug"],
    ]


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    done = run(tmp_path / "none.json", tmp_path)
    assert done.returncode == 1
    assert "none.json" in done.stderr
    assert "DOCUMENT=" in done.stderr


@sdk_is_there
def test_the_local_neon_knows_every_operation_of_the_newest_client_and_no_other() -> None:
    routes()  # importing them registers the operations
    # Of the addresses that clients use for an operation, the first is Neon's.
    here = {one.id: f"{one.method} {one.path}" for one in reversed(OPERATIONS)}
    known = {address: name for name, address in {**here, **NOT_HERE}.items()}
    newest = {
        f"{method} {path}": name
        for (method, path), name in specs.of_sdk(specs.SDK).operations.items()
    }
    assert {address: name.lower() for address, name in known.items()} == {
        address: name.lower() for address, name in newest.items()
    }


@sdk_is_there
@pytest.mark.skipif(
    not document.PATH.exists(), reason="Neon's OpenAPI document is not on this machine"
)
def test_make_specs_says_what_came_after_the_document() -> None:
    done = run(document.PATH, specs.SDK)
    assert done.returncode == 0, done.stderr
    assert "UNKNOWN" not in done.stdout
    assert "createSnapshot.slug" in done.stdout


def test_no_page_types_the_number_of_operations() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        if page.name != "neon-operations.md":
            text = page.read_text(encoding="utf-8")
            assert re.findall(r"\b1\d\d operations", text) == [], page
