"""Neon's two clients of its API for JavaScript (npm): @neon/sdk and @neondatabase/api-client."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.emulator.api import ask
from tests.emulator.node import CLIENTS, NODE, run_script
from tests.emulator.serving import NeonServer

pytestmark = [
    pytest.mark.skipif(NODE is None, reason="node is not installed: the clients need it"),
    pytest.mark.skipif(
        not (CLIENTS / "node_modules" / "@neondatabase" / "api-client").exists(),
        reason="the clients are not installed: npm ci in tests/clients",
    ),
]

_SDK = """
import { createNeonClient } from "@neon/sdk";
const { NEON_API_HOST, NEON_API_KEY, NEON_ORG_ID } = process.env;
const neon = createNeonClient({
  apiKey: NEON_API_KEY,
  baseUrl: NEON_API_HOST,
  orgId: NEON_ORG_ID,
  throwOnError: true,
  waitForReadiness: true,
  wait: { pollIntervalMs: 100 },
  retries: 10,
});
const name = (rows) => rows.map((row) => row.name).sort();
const tell = (value) => console.log(JSON.stringify(value));
"""
_API_CLIENT = """
import clients from "@neondatabase/api-client";
const { NEON_API_HOST, NEON_API_KEY, NEON_ORG_ID } = process.env;
const neon = clients.createApiClient({ apiKey: NEON_API_KEY, baseURL: NEON_API_HOST });
const tell = (value) => console.log(JSON.stringify(value));
const settled = async (projectId) => {
  for (;;) {
    const { data } = await neon.listProjectOperations({ projectId });
    const open = ({ status }) => !["finished", "skipped", "cancelled", "failed"].includes(status);
    if (!data.operations.some(open)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
"""


def run(neon: NeonServer, script: str) -> Any:
    """Run a script with the variables of Neon's clients; what it tells."""
    return run_script(script, neon.environment)


def test_the_sdk_creates_branches_and_restores(neon_server_here: NeonServer) -> None:
    told = run(
        neon_server_here,
        _SDK
        + """
const { project, connectionString } = await neon.projects.createAndConnect({ name: "app" });
const projectId = project.id;
const main = await neon.branches.getDefault({ projectId });
const on = { projectId, branchId: main.id };
const preview = await neon.branches.createAndConnect({
  projectId, name: "preview", parentId: main.id,
});
const plain = await neon.branches.create({ projectId, name: "plain", noCompute: true });
const branches = name(await neon.branches.list({ projectId }).all());
await neon.branches.update({ projectId, branchId: plain.id, name: "renamed" });
await neon.postgres.roles.create({ ...on, name: "reader" });
await neon.postgres.databases.create({ ...on, name: "reports", owner_name: "reader" });
await neon.postgres.databases.update({ ...on, databaseName: "reports", name: "figures" });
const password = await neon.postgres.roles.password({ ...on, roleName: "reader" });
const renewed = await neon.postgres.roles.resetPassword({ ...on, roleName: "reader" });
const uri = await neon.postgres.connectionString({
  ...on, databaseName: "figures", roleName: "reader", pooled: false,
});
const { endpoint } = preview;
const suspended = await neon.postgres.endpoints.suspend({ projectId, endpointId: endpoint.id });
const started = await neon.postgres.endpoints.start({ projectId, endpointId: endpoint.id });
const snapshot = await neon.snapshots.create({ ...on, name: "before" });
const snapshots = name(await neon.snapshots.list({ projectId }));
tell({
  project: (await neon.projects.get({ projectId })).name,
  listed: name(await neon.projects.list().all()).includes("app"),
  connectionString, branches, snapshots, uri,
  changed: password !== renewed.password,
  databases: name(await neon.postgres.databases.list(on)),
  roles: name(await neon.postgres.roles.list(on)),
  states: [suspended.id, started.id].every((id) => id === endpoint.id),
  preview: preview.connectionString,
});
await neon.snapshots.delete({ projectId, snapshotId: snapshot.id });
await neon.postgres.databases.delete({ ...on, databaseName: "figures" });
await neon.postgres.roles.delete({ ...on, roleName: "reader" });
await neon.branches.resetFromParent({ projectId, branchId: preview.branch.id });
await neon.branches.delete({ projectId, branchId: preview.branch.id });
await neon.branches.delete({ projectId, branchId: plain.id });
await neon.projects.delete({ projectId });
""",
    )
    first, preview, own = (urlsplit(told.pop(n)) for n in ("connectionString", "preview", "uri"))
    assert (first.username, first.path) == (preview.username, preview.path)
    assert first.hostname != preview.hostname or first.port != preview.port
    assert (own.username, own.path) == ("reader", "/figures")
    assert told == {
        "project": "app",
        "listed": True,
        "branches": ["main", "plain", "preview"],
        "snapshots": ["before"],
        "changed": True,
        "databases": ["figures", "neondb"],
        "roles": ["neondb_owner", "reader"],
        "states": True,
    }


def test_the_sdk_tells_errors_by_their_kind(neon_server_here: NeonServer) -> None:
    told = run(
        neon_server_here,
        _SDK
        + """
const kind = async (promise) => promise.then(() => null, (error) => [error.kind, error.status]);
const projectId = "none-such-12345678";
const stranger = createNeonClient({ apiKey: "wrong", baseUrl: NEON_API_HOST, throwOnError: true });
const project = await neon.projects.create({ name: "app" });
const main = await neon.branches.getDefault({ projectId: project.id });
const on = { projectId: project.id, branchId: main.id };
tell([
  await kind(neon.projects.get({ projectId })),
  await kind(stranger.projects.get({ projectId })),
  await kind(neon.postgres.databases.create({ ...on, name: "neondb", owner_name: "neondb_owner" })),
  await kind(neon.postgres.dataApi.get({ ...on, databaseName: "neondb" })),
  await kind(neon.postgres.dataApi.create({ ...on, databaseName: "neondb" })),
]);
await neon.projects.delete({ projectId: project.id });
""",
    )
    assert told == [
        ["not_found", 404],
        ["auth", 401],
        ["api", 409],
        ["not_found", 404],
        ["api", 501],
    ]


def test_the_older_client_creates_uses_and_deletes(neon_server_here: NeonServer) -> None:
    told = run(
        neon_server_here,
        _API_CLIENT
        + """
const { data } = await neon.createProject({ project: { name: "old", org_id: NEON_ORG_ID } });
const { project, branch, connection_uris } = data;
await settled(project.id);
const created = await neon.createProjectBranch(project.id, {
  branch: { name: "dev", parent_id: branch.id },
  endpoints: [{ type: "read_write" }],
});
await settled(project.id);
await neon.createProjectBranchRole(project.id, branch.id, { role: { name: "reader" } });
await settled(project.id);
const password = await neon.getProjectBranchRolePassword(project.id, branch.id, "reader");
const uri = await neon.getConnectionUri({
  projectId: project.id, database_name: "neondb", role_name: "reader",
});
const branches = await neon.listProjectBranches({ projectId: project.id });
const endpoints = await neon.listProjectEndpoints(project.id);
tell({
  names: branches.data.branches.map(({ name }) => name).sort(),
  endpoints: endpoints.data.endpoints.length,
  fits: uri.data.uri.includes(password.data.password),
  url: connection_uris[0].connection_uri,
});
await settled(project.id);
await neon.deleteProjectBranch({ projectId: project.id, branchId: created.data.branch.id });
""",
    )
    assert ask(told.pop("url"), "SELECT current_database()") == "neondb"
    assert told == {"names": ["dev", "main"], "endpoints": 2, "fits": True}
