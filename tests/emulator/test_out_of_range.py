"""What is out of range is refused: each bound of Neon's document, and those in its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from neonup_emulator.api.v2.operations import OPERATIONS
from neonup_emulator.api.v2.routes import routes
from tests.emulator.api import DOCUMENT, Api, Project
from tests.emulator.document import PATH
from tests.emulator.persons import create_person

Schema = dict[str, Any]
_QUERY = {
    "db_name": "neondb",
    "database_name": "neondb",
    "role_name": "neondb_owner",
    "granularity": "daily",
    "from": f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%dT00:00:00Z}",
    "to": f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT00:00:00Z}",
}
"""What operations need beside the parameter that is wrong; those that do not, ignore it."""
_SAMPLES = {"string": "some-text", "integer": 1, "number": 1, "boolean": True, "array": []}


def resolved(schema: Schema) -> Schema:
    """A schema with its references and the parts of `allOf` in one."""
    if "$ref" in schema:
        found = DOCUMENT.content
        for part in schema["$ref"].split("/")[1:]:
            found = found[part]
        schema = {**resolved(found), **{k: v for k, v in schema.items() if k != "$ref"}}
    for part in schema.get("allOf", []):
        more = resolved(part)
        properties = {**schema.get("properties", {}), **more.get("properties", {})}
        schema = {**more, **schema, "properties": properties}
    return schema


def wrong_values(schema: Schema) -> Iterator[Any]:
    """Values of the right type that a schema does not allow."""
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if schema.get("minLength"):
        yield ""
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if "enum" in schema or "pattern" in schema:
        yield "NONSENSE"
    if schema.get("format") == "date-time":
        yield "yesterday"
    if schema.get("format") == "email":
        yield "nobody"
    if schema.get("minItems"):
        yield []
    if "maxItems" in schema:
        yield ["some-id"] * (schema["maxItems"] + 1)
    if "maxProperties" in schema:
        yield {str(number): "" for number in range(schema["maxProperties"] + 1)}


def sample(schema: Schema) -> Any:
    """The least that a schema allows."""
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        return {name: sample(properties[name]) for name in schema.get("required", [])}
    if "example" in schema:
        return schema["example"]
    if schema.get("format") in {"email", "date-time"}:
        return {"email": "a@example.com", "date-time": "2026-01-31T12:00:00Z"}[schema["format"]]
    return _SAMPLES.get(schema.get("type", "string"))


def wrong_bodies(schema: Schema, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The name of a field, a value that it may not have, and a body with it."""
    schema = resolved(schema)
    for value in wrong_values(schema):
        yield name, value, value
    for inner, part in schema.get("properties", {}).items():
        for field, value, content in wrong_bodies(part, inner):
            yield field, value, {**(sample(schema) or {}), inner: content}
    if "items" in schema:
        for field, value, content in wrong_bodies(schema["items"], name):
            yield field, value, [content]


def bounds() -> Iterator[Any]:
    """Every wrong body and parameter of the document's operations that are carried out here."""
    routes()  # importing them registers the operations
    for id_ in sorted({one.id for one in OPERATIONS} & DOCUMENT.operations.keys()):
        method, path = DOCUMENT.operations[id_]
        operation = DOCUMENT.content["paths"][path][method.lower()]
        shared = DOCUMENT.content["paths"][path].get("parameters", [])
        if "requestBody" in operation:
            content = resolved(operation["requestBody"])["content"]["application/json"]
            for field, value, body in wrong_bodies(content["schema"]):
                label = f"{id_}-{field}-{str(value)[:12]}"
                yield pytest.param(method, path, field, {}, body, id=label)
        for parameter in map(resolved, [*shared, *operation.get("parameters", [])]):
            if parameter["in"] != "query":
                continue
            for part in (parameter["schema"], *parameter["schema"].get("oneOf", [])):
                for value in wrong_values(resolved(part)):
                    name = parameter["name"]
                    label = f"{id_}-{name}-{str(value)[:12]}"
                    yield pytest.param(method, path, name, {name: value}, None, id=label)


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    """What the parameters of addresses stand for; the first test that asks fills it."""
    return {}


def ids_of(api: Api, known: dict[str, str]) -> dict[str, str]:
    if not known:
        project = api.create_project(name="bounds")
        snapshot = api.ok("POST", f"{project.main}/snapshot")["snapshot"]["id"]
        org_id = api.ok("GET", "/users/me/organizations")["organizations"][0]["id"]
        member = api.ok("GET", f"/organizations/{org_id}/members")["members"][0]["member"]
        known |= {
            "project_id": project.id,
            "branch_id": project.branch,
            "endpoint_id": project.endpoint,
            "snapshot_id": snapshot,
            "org_id": org_id,
            "source_org_id": org_id,
            "member_id": member["id"],
            "database_name": "neondb",
            "role_name": "neondb_owner",
            "request_id": "some-request",
            "field_name": "body",
        }
    return known


@pytest.mark.skipif(not PATH.exists(), reason="Neon's OpenAPI document is not on this machine")
@pytest.mark.parametrize(
    ("method", "path", "name", "query", "body"), [*bounds()] if PATH.exists() else []
)
def test_a_bound_of_the_document_holds(
    api: Api, known: dict[str, str], method: str, path: str, name: str, query: Any, body: Any
) -> None:
    found = ids_of(api, known)
    path = re.sub(r"\{(\w+)\}", lambda match: found[match[1]], path)
    needed = {**_QUERY, "org_id": found["org_id"], "project_ids": found["project_id"]}
    if "/v2/" in path:
        needed["metrics"] = "compute_unit_seconds"
    status, message = api.refused(method, path, body, **(needed | query))
    if status == 404:  # an id that cannot be one is nobody's; no branch has logs to ask for
        assert name.endswith("_id") or "/logs/" in path
    elif name == "pg_version":  # it depends on the machine which ones there are
        assert status == 422
    else:
        assert (status, name in message) == (400, True), message


@pytest.mark.parametrize(
    "settings",
    [
        {"allowed_ips": {"ips": ["somewhere"]}},
        {"allowed_ips": {"ips": ["192.0.2.256"]}},
        {"allowed_ips": {"ips": ["192.0.2.0/33"]}},
        {"allowed_ips": {"ips": ["192.0.2.9-192.0.2.1"]}},
        {"allowed_ips": {"ips": ["192.0.2.1", ""]}},
        {"maintenance_window": {"weekdays": [0], "start_time": "01:00", "end_time": "02:00"}},
        {"maintenance_window": {"weekdays": [8], "start_time": "01:00", "end_time": "02:00"}},
        {"maintenance_window": {"weekdays": [], "start_time": "01:00", "end_time": "02:00"}},
        {"maintenance_window": {"weekdays": [1], "start_time": "24:00", "end_time": "02:00"}},
        {"maintenance_window": {"weekdays": [1], "start_time": "01:00", "end_time": "2:00"}},
    ],
)
def test_a_setting_that_means_nothing(api: Api, project: Project, settings: Any) -> None:
    before = api.ok("GET", project.path)["project"]["settings"]
    for method, path in (("POST", "/projects"), ("PATCH", project.path)):
        assert api.refused(method, path, {"project": {"settings": settings}})[0] == 400
    assert api.ok("GET", project.path)["project"]["settings"] == before


def test_settings_that_mean_something(project: Project) -> None:
    ips = [
        "192.0.2.7",
        "192.0.2.0/24",
        "192.0.2.1-192.0.2.9",
        "192.0.2.1 - 192.0.2.9",
        "2001:db8::/32",
    ]
    window = {"weekdays": [1, 7], "start_time": "00:00", "end_time": "23:59"}
    settings = {"allowed_ips": {"ips": ips}, "maintenance_window": window}
    changed = project.api.ok("PATCH", project.path, {"project": {"settings": settings}})
    shown = changed["project"]["settings"]
    assert (shown["allowed_ips"]["ips"], shown["maintenance_window"]) == (ips, window)


def test_the_least_units_are_not_above_the_most(api: Api, project: Project) -> None:
    least, most = "autoscaling_limit_min_cu", "autoscaling_limit_max_cu"
    wrong = {least: 4, most: 2}
    defaults = {"project": {"default_endpoint_settings": wrong}}
    assert api.refused("POST", "/projects", {"project": wrong})[0] == 422
    assert api.refused("POST", "/projects", {"project": {least: 8}})[0] == 422
    assert api.refused("POST", "/projects", defaults)[0] == 422
    assert api.refused("PATCH", project.path, defaults)[0] == 422
    alone = {"project": {"default_endpoint_settings": {least: 4}}}  # the most is 2 already
    assert api.refused("PATCH", project.path, alone)[0] == 422
    branch = {"endpoints": [{"type": "read_write", **wrong}]}
    assert api.refused("POST", f"{project.path}/branches", branch)[0] == 422
    endpoint = {"endpoint": wrong}
    path = f"{project.path}/endpoints/{project.endpoint}"
    assert api.refused("PATCH", path, endpoint)[0] == 422


def test_regions_are_neons(api: Api, project: Project) -> None:
    known = [one["region_id"] for one in api.ok("GET", "/regions")["regions"]]
    elsewhere = api.create_project(name="far", region_id=known[-1])
    assert elsewhere.answer["project"]["region_id"] == known[-1]
    for region in ("aws-nowhere-1", "azure-gwc", ""):
        assert api.refused("POST", "/projects", {"project": {"region_id": region}})[0] == 400
    wanted = {"branch_id": project.branch, "type": "read_only", "region_id": known[-1]}
    path = f"{project.path}/endpoints"
    assert api.refused("POST", path, {"endpoint": wanted})[0] == 400
    wanted["region_id"] = known[0]
    assert api.ok("POST", path, {"endpoint": wanted})["endpoint"]["region_id"] == known[0]


def test_what_cannot_be_taken_back(project: Project) -> None:
    def settings(**wanted: Any) -> Any:
        return {"project": {"settings": wanted}}

    api, path = project.api, project.path
    api.ok("PATCH", path, settings(audit_log_level="full", enable_logical_replication=True))
    api.ok("PATCH", path, settings(audit_log_level="extended"))
    assert api.refused("PATCH", path, settings(audit_log_level="base"))[0] == 400
    assert api.refused("PATCH", path, settings(enable_logical_replication=False))[0] == 400
    shown = api.ok("GET", path)["project"]["settings"]
    assert (shown["audit_log_level"], shown["enable_logical_replication"]) == ("extended", True)


def test_members_are_sorted_as_asked_for_in_pages(api: Api) -> None:
    admin = create_person(api, "m-admin@example.com")
    others = [create_person(api, f"{letter}-member@example.com") for letter in "zab"]
    path = f"/organizations/{admin.org_id}"
    invitations = [{"email": one.email, "role": "member"} for one in others]
    admin.api.ok("POST", f"{path}/invitations", {"invitations": invitations})

    def emails(**query: Any) -> list[str]:
        answer = admin.api.ok("GET", f"{path}/members", **query)
        return [one["user"]["email"][0] for one in answer["members"]]

    assert emails() == ["m", "z", "a", "b"]
    assert emails(sort_by="email") == ["a", "b", "m", "z"]
    assert emails(sort_by="email", sort_order="desc") == ["z", "m", "b", "a"]
    assert emails(sort_by="role", limit=1) == ["m"]
    first = admin.api.ok("GET", f"{path}/members", sort_by="email", limit=3)
    cursor = first["pagination"]["next"]
    assert emails(sort_by="email", limit=3, cursor=cursor) == ["z"]
