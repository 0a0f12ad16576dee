"""Neon's HTTP query endpoint for projects, as @neondatabase/serverless sends it."""

from __future__ import annotations

from typing import Any

import httpx

from tests import asking
from tests.emulator.api import Project, ask


def send(project: Project, body: Any, **headers: str) -> httpx.Response:
    root = project.api.base.removesuffix("/api/v2")
    sent = {"neon-connection-string": project.url, "neon-array-mode": "true", **headers}
    return asking.post(f"{root}/sql", json=body, headers=sent, timeout=60)


def test_one_statement_wakes_the_endpoint(project: Project) -> None:
    answer = send(project, {"query": "SELECT $1::int + 1 AS n", "params": ["41"]}).json()
    assert answer["rows"] == [["42"]]
    assert answer["fields"][0]["name"] == "n"


def test_a_transaction(project: Project) -> None:
    queries = [
        {"query": "CREATE TABLE things (n int)", "params": []},
        {"query": "INSERT INTO things VALUES ($1)", "params": ["1"]},
        {"query": "SELECT current_setting('transaction_isolation')", "params": []},
    ]
    headers = {"neon-batch-isolation-level": "Serializable"}
    answer = send(project, {"queries": queries}, **headers).json()
    assert [one["command"] for one in answer["results"]] == ["CREATE", "INSERT", "SELECT"]
    assert answer["results"][2]["rows"] == [["serializable"]]
    failing = [queries[1], {"query": "SELECT 1/0", "params": []}]
    refused = send(project, {"queries": failing})
    assert (refused.status_code, refused.json()["code"]) == (400, "22012")
    assert ask(project.url, "SELECT count(*) FROM things") == 1


def test_an_error_has_all_that_postgres_tells(project: Project) -> None:
    ask(
        project.url,
        "CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql AS "
        "$$ BEGIN EXECUTE 'SELECT nothing'; RETURN n; END $$",
    )
    error = send(project, {"query": "SELECT f(1)", "params": []}).json()
    assert error["where"].startswith("PL/pgSQL function f(integer) line 1")
    assert (error["internalPosition"], error["internalQuery"]) == ("8", "SELECT nothing")
    assert (error["file"], error["routine"]) == ("parse_relation.c", "errorMissingColumn")
    assert int(error["line"]) > 0
    ask(project.url, "CREATE TABLE things (n int CONSTRAINT positive CHECK (n > 0))")
    error = send(project, {"query": "INSERT INTO things VALUES (0)", "params": []}).json()
    told = {name: error[name] for name in ("schema", "table", "constraint", "code", "severity")}
    assert told == {
        "schema": "public",
        "table": "things",
        "constraint": "positive",
        "code": "23514",
        "severity": "ERROR",
    }
    assert "where" not in error


def test_a_read_only_transaction_writes_nothing(project: Project) -> None:
    queries = [{"query": "CREATE TABLE things ()", "params": []}]
    refused = send(project, {"queries": queries}, **{"neon-batch-read-only": "true"})
    assert refused.json()["code"] == "25006"


def test_what_is_refused(project: Project) -> None:
    assert send(project, {"queries": [7]}).status_code == 400
    assert send(project, {"queries": "x"}).status_code == 400
    wrong = {"neon-batch-isolation-level": "Chaos"}
    assert send(project, {"queries": []}, **wrong).status_code == 400
    foreign = {"neon-connection-string": "postgresql://a:b@192.0.2.1/c"}
    assert send(project, {"query": "SELECT 1"}, **foreign).status_code == 400
    stolen = {"neon-connection-string": project.url.replace("npg_", "npg_x")}
    assert "password" in send(project, {"query": "SELECT 1"}, **stolen).json()["message"]
