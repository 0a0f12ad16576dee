"""What terraform-provider-neon asks for when it creates, reads, changes and deletes its resources.

Its habits (https://github.com/kislerdm/terraform-provider-neon, folder provider): what a user
leaves out is sent as an empty text or a zero, and each operation is asked about until it has
finished.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.emulator.api import Api, ask
from tests.waiting import wait_until


class Provider:
    """The provider's way of asking."""

    def __init__(self, api: Api):
        self.api = api

    def change(self, method: str, path: str, body: Any = None) -> Any:
        """Change something, and wait for all of its operations."""
        answer = self.api.ok(method, path, body)
        for operation in answer.get("operations", []):
            where = f"/projects/{operation['project_id']}/operations/{operation['id']}"
            wait_until(partial(self.has_finished, where), where, seconds=60)
        return answer

    def has_finished(self, operation: str) -> bool:
        status = self.api.ok("GET", operation)["operation"]["status"]
        assert status not in ("failed", "cancelled")
        return status in ("finished", "skipped")

    def read_project(self, project: str) -> dict[str, Any]:
        """The project as the provider reads it: by five requests."""
        path = f"/projects/{project}"
        found = self.api.ok("GET", path)["project"]
        branches = self.api.ok("GET", f"{path}/branches")["branches"]
        (main,) = [branch for branch in branches if branch["default"]]
        here = f"{path}/branches/{main['id']}"
        (endpoint,) = self.api.ok("GET", f"{here}/endpoints")["endpoints"]
        (database,) = self.api.ok("GET", f"{here}/databases")["databases"]
        role = database["owner_name"]
        password = self.api.ok("GET", f"{here}/roles/{role}/reveal_password")["password"]
        url = f"postgresql://{role}:{password}@{endpoint['host']}/{database['name']}"
        return {"project": found, "branch": main, "endpoint": endpoint, "url": url}


def test_a_project_is_created_read_changed_and_deleted(api: Api) -> None:
    provider = Provider(api)
    wanted = {
        "name": "shop",
        "org_id": api.ok("GET", "/users/me/organizations")["organizations"][0]["id"],
        "pg_version": 17,
        "history_retention_seconds": 21600,
        "default_endpoint_settings": {
            "autoscaling_limit_min_cu": 0.25,
            "autoscaling_limit_max_cu": 1,
            "suspend_timeout_seconds": 0,
        },
        "branch": {"name": "trunk", "role_name": "alice", "database_name": "store"},
    }
    created = provider.change("POST", "/projects", {"project": wanted})
    id_ = created["project"]["id"]
    trunk = f"/projects/{id_}/branches/{created['branch']['id']}"
    provider.change("PATCH", trunk, {"branch": {"protected": True}})
    read = provider.read_project(id_)
    assert (read["branch"]["name"], read["branch"]["protected"]) == ("trunk", True)
    assert ask(read["url"], "SELECT current_user || '/' || current_database()") == "alice/store"
    changes = {
        "name": "store",
        "history_retention_seconds": 3600,
        "settings": {"allowed_ips": {}, "enable_logical_replication": False},
    }
    provider.change("PATCH", f"/projects/{id_}", {"project": changes})
    assert provider.read_project(id_)["project"]["name"] == "store"
    provider.change("PATCH", trunk, {"branch": {"protected": False}})
    api.ok("DELETE", f"/projects/{id_}")
    assert api.refused("GET", f"/projects/{id_}")[0] == 404


def test_what_is_in_a_project_is_created_read_changed_and_deleted(api: Api) -> None:
    provider = Provider(api)
    project = api.create_project(name="shop")
    ask(project.url, "CREATE TABLE own AS SELECT 7 AS n")
    empty = {"name": "dev", "parent_id": "", "parent_lsn": ""}
    branch = provider.change("POST", f"{project.path}/branches", {"branch": empty})["branch"]
    assert branch["parent_id"] == project.branch
    path = f"{project.path}/branches/{branch['id']}"
    provider.change("PATCH", path, {"branch": {"name": "develop"}})
    assert api.ok("GET", path)["branch"]["name"] == "develop"

    compute = {
        "branch_id": branch["id"],
        "type": "read_write",
        "region_id": project.answer["project"]["region_id"],
        "pooler_enabled": False,
        "pooler_mode": "transaction",
        "disabled": False,
        "provisioner": "k8s-neonvm",
        "suspend_timeout_seconds": 0,
        "autoscaling_limit_min_cu": 0.25,
        "autoscaling_limit_max_cu": 1,
    }
    asked = {"endpoint": compute}
    endpoint = provider.change("POST", f"{project.path}/endpoints", asked)["endpoint"]
    changed = {name: compute[name] for name in compute if name not in ("type", "region_id")}
    where = f"{project.path}/endpoints/{endpoint['id']}"
    provider.change("PATCH", where, {"endpoint": {**changed, "suspend_timeout_seconds": 600}})
    assert api.ok("GET", where)["endpoint"]["suspend_timeout_seconds"] == 600

    provider.change("POST", f"{path}/roles", {"role": {"name": "bob"}})
    assert api.ok("GET", f"{path}/roles/bob")["role"]["name"] == "bob"
    password = api.ok("GET", f"{path}/roles/bob/reveal_password")["password"]
    database = {"name": "reports", "owner_name": "bob"}
    provider.change("POST", f"{path}/databases", {"database": database})
    renamed = {"database": {"name": "figures", "owner_name": "bob"}}
    provider.change("PATCH", f"{path}/databases/reports", renamed)
    assert api.ok("GET", f"{path}/databases/figures")["database"]["owner_name"] == "bob"
    url = f"postgresql://bob:{password}@{endpoint['host']}/figures"
    assert ask(url, "SELECT current_user || '/' || current_database()") == "bob/figures"

    provider.change("DELETE", f"{path}/databases/figures")
    provider.change("DELETE", f"{path}/roles/bob")
    provider.change("DELETE", where)
    provider.change("DELETE", path)
    assert api.refused("GET", path)[0] == 404
    assert ask(project.url, "SELECT n FROM own") == 7


def test_keys_and_permissions_are_created_found_again_and_revoked(api: Api) -> None:
    provider = Provider(api)
    project = api.create_project(name="shop")
    organization = project.answer["project"]["org_id"]
    for path, body in (
        ("/api_keys", {"key_name": "mine"}),
        (f"/organizations/{organization}/api_keys", {"key_name": "ours"}),
    ):
        created = provider.change("POST", path, body)
        assert created["id"] in {key["id"] for key in api.ok("GET", path)}
        provider.change("DELETE", f"{path}/{created['id']}")
        assert created["id"] not in {key["id"] for key in api.ok("GET", path)}
    path = f"{project.path}/permissions"
    granted = provider.change("POST", path, {"email": "bob@example.com"})
    assert [one["id"] for one in api.ok("GET", path)["project_permissions"]] == [granted["id"]]
    provider.change("DELETE", f"{path}/{granted['id']}")
    assert api.ok("GET", path)["project_permissions"] == []
