"""SQL over HTTP: what Neon's driver sends and reads, and only to databases of this server."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests import asking
from tests.neon_new_server import NeonNewServer


@pytest.fixture
def url(neon_new_server: NeonNewServer) -> str:
    made = asking.post(f"{neon_new_server.api}/database", json={"ref": "tests"}).json()
    found: str = made["connection_string"]
    return found


def ask(server: NeonNewServer, url: str, body: Any) -> httpx.Response:
    headers = {"Neon-Connection-String": url, "Neon-Raw-Text-Output": "true"}
    return asking.post(f"{server.url}/sql", json=body, headers=headers)


def test_values_come_as_text_with_their_types(neon_new_server: NeonNewServer, url: str) -> None:
    query = "SELECT $1::int + 1 AS n, $2::text AS t, $3::bool AS b, $4::jsonb AS j, NULL AS x"
    answer = ask(
        neon_new_server, url, {"query": query, "params": ["41", "é'; --", True, {"a": [1]}]}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["rows"] == [["42", "é'; --", "t", '{"a": [1]}', None]]
    assert [field["name"] for field in found["fields"]] == ["n", "t", "b", "j", "x"]
    assert [field["dataTypeID"] for field in found["fields"]] == [23, 25, 16, 3802, 25]
    assert (found["command"], found["rowCount"], found["rowAsArray"]) == ("SELECT", 1, True)


def test_commands_count_their_rows(neon_new_server: NeonNewServer, url: str) -> None:
    made = ask(neon_new_server, url, {"query": "CREATE TABLE t AS SELECT generate_series(1, 3) x"})
    assert made.json()["rowCount"] == 3
    gone = ask(neon_new_server, url, {"query": "DELETE FROM t WHERE x > $1", "params": [1]}).json()
    assert (gone["command"], gone["rowCount"], gone["rows"]) == ("DELETE", 2, [])


def test_errors_are_postgress_own(neon_new_server: NeonNewServer, url: str) -> None:
    answer = ask(neon_new_server, url, {"query": "SELECT * FROM nowhere"})
    assert answer.status_code == 400
    error = answer.json()
    assert (error["code"], error["severity"], error["position"]) == ("42P01", "ERROR", "15")
    assert error["message"] == 'relation "nowhere" does not exist'


@pytest.mark.parametrize(
    "body", [[], {"query": 5}, {"query": "SELECT 1", "params": {}}, {"queries": []}, {}]
)
def test_anything_else_is_refused(neon_new_server: NeonNewServer, url: str, body: Any) -> None:
    answer = ask(neon_new_server, url, body)
    assert answer.status_code == 400
    assert "Send one statement" in answer.json()["message"]


def test_a_wrong_password_is_refused(neon_new_server: NeonNewServer, url: str) -> None:
    answer = ask(neon_new_server, url.replace("pooler@", "@"), {"query": "SELECT 1"})
    assert answer.status_code == 400
    assert "password authentication failed" in answer.json()["message"]


@pytest.mark.parametrize(
    "elsewhere",
    ["", "nonsense", "postgresql://u:p@127.0.0.1/db", "postgresql://u:p@127.0.0.1:9/db",
     "postgresql://u:p@[::1/db", "postgresql://u:p@evil.example:5432/db"],
)  # fmt: skip
def test_other_servers_are_not_reached(neon_new_server: NeonNewServer, elsewhere: str) -> None:
    answer = ask(neon_new_server, elsewhere, {"query": "SELECT 1"})
    assert answer.status_code == 400
    assert answer.json()["message"] == "This server has no database with that connection string."


def test_a_host_in_the_parameters_is_not_what_is_connected_to(
    neon_new_server: NeonNewServer, url: str
) -> None:
    moved = url.partition("?")[0] + "?host=evil.example"
    answer = ask(neon_new_server, moved, {"query": "SELECT current_database()"})
    assert answer.json()["rows"] == [["neondb"]]
