"""The official Python client `neon-api` against the local Neon."""

from __future__ import annotations

import pytest
from neon_api import NeonAPI  # type: ignore[import-untyped]
from neon_api.exceptions import NeonAPIError  # type: ignore[import-untyped]

from tests.emulator.api import ask
from tests.emulator.serving import NeonServer


@pytest.fixture
def client(neon_server_here: NeonServer) -> NeonAPI:
    return NeonAPI(neon_server_here.key, base_url=f"{neon_server_here.base}/")


def test_projects_branches_databases_and_roles(client: NeonAPI) -> None:
    created = client.project_create(project={"name": "by-neon-api"})
    project = created.project.id
    main = client.branches(project).branches[0].id
    assert client.project(project).project.name == "by-neon-api"
    client.project_update(project, project={"name": "renamed"})
    assert "renamed" in [one.name for one in client.projects().projects]

    client.branch_create(project, branch={"name": "dev"}, endpoints=[{"type": "read_write"}])
    branch = next(one.id for one in client.branches(project).branches if one.name == "dev")
    client.branch_update(project, branch, branch={"name": "dev2"})
    assert client.branch(project, branch).branch.name == "dev2"

    client.role_create(project, main, "carol")
    client.database_create(project, main, database={"name": "extra", "owner_name": "carol"})
    uri = client.connection_uri(project, database_name="extra", role_name="carol", pooled=True).uri
    assert ask(uri, "SELECT current_user || '/' || current_database()") == "carol/extra"
    password = client.role_password_reset(project, main, "carol").role.password
    assert client.role_password_reveal(project, main, "carol").password == password
    client.database_delete(project, main, "extra")
    client.role_delete(project, main, "carol")
    assert [role.name for role in client.roles(project, main).roles] == ["neondb_owner"]

    client.branch_set_as_primary(project, branch)
    assert client.branch(project, branch).branch.default
    client.project_delete(project)
    with pytest.raises(NeonAPIError):
        client.project(project)


def test_endpoints_operations_keys_and_me(client: NeonAPI) -> None:
    created = client.project_create(project={"name": "by-neon-api"})
    project = created.project.id
    endpoint = client.endpoints(project).endpoints[0].id
    client.endpoint_start(project, endpoint)
    assert client.endpoint(project, endpoint).endpoint.current_state.value == "active"
    client.endpoint_suspend(project, endpoint)
    operations = client.operations(project).operations
    assert {one.status.value for one in operations} == {"finished"}
    assert client.operation(project, operations[0].id).operation.id == operations[0].id
    client.project_permissions_grant(project, email="friend@example.com")
    permission = client.project_permissions(project).project_permissions[0]
    client.project_permissions_revoke(project, permission_id=permission.id)
    key = client.api_key_create(key_name="mine")
    assert "mine" in [one.name for one in client.api_keys()]
    client.api_key_revoke(key.id)
    client.me()
