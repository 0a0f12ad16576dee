"""The local neon.new as its clients see it: answers, errors, claims, expiry, restart."""

from __future__ import annotations

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from neonup import State
from tests import asking
from tests.conftest import remove_home, warm_home
from tests.neon_new_server import NeonNewServer, serving

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def make(server: NeonNewServer) -> dict[str, str]:
    answer = asking.post(f"{server.api}/database", json={"ref": "tests"})
    assert answer.status_code == 200, answer.text
    made: dict[str, str] = answer.json()
    return made


def read(server: NeonNewServer, name: str) -> httpx.Response:
    return asking.get(f"{server.api}/database/{name}")


def answers(url: str) -> bool:
    with psycopg.connect(url, connect_timeout=5) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_a_new_database_has_every_field_in_its_form_and_answers(
    neon_new_server: NeonNewServer,
) -> None:
    made = make(neon_new_server)
    assert set(made) == {
        "id",
        "status",
        "neon_project_id",
        "connection_string",
        "claim_url",
        "expires_at",
        "created_at",
        "updated_at",
    }
    assert uuid.UUID(made["id"]).version == 7
    assert made["status"] == "UNCLAIMED"
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d{8}", made["neon_project_id"])
    assert made["claim_url"] == f"{neon_new_server.url}/claim/{made['id']}"
    for name in ("expires_at", "created_at", "updated_at"):
        assert TIME.fullmatch(made[name])
    lives = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert lives == timedelta(hours=72)
    assert answers(made["connection_string"])
    assert read(neon_new_server, made["id"]).json() == made


def test_the_url_asks_for_tls_where_the_engine_has_it(neon_new_server: NeonNewServer) -> None:
    made = make(neon_new_server)
    record = neon_new_server.databases.get(made["id"])
    assert record is not None
    query = urlsplit(made["connection_string"]).query
    assert query == ("sslmode=require&channel_binding=require" if record.tls else "")
    with psycopg.connect(made["connection_string"]) as connection:
        assert bool(connection.pgconn.ssl_in_use) is record.tls


def test_the_url_is_left_alone_by_the_official_commands_rewriting(
    neon_new_server: NeonNewServer,
) -> None:
    """neon-new puts ``-pooler`` before the first dot of a string without ``pooler``."""
    url = make(neon_new_server)["connection_string"]
    assert "pooler" in url
    assert "-pooler" not in url


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{}", 400, "Missing referrer"),
        (b"", 400, "Missing referrer"),
        (b'{"ref": ""}', 400, "Missing referrer"),
        (b'{"ref": "  "}', 400, "Missing referrer"),
        (b'{"ref": null}', 400, "Missing referrer"),
        (b'{"ref": 3}', 500, "Failed to create the database."),
        (b'{"ref": "a", "enable_logical_replication": 1}', 500, "Failed to create the database."),
        (b'{"ref": ', 500, "Failed to create the database."),
        (b"[]", 500, "Failed to create the database."),
        (b"[" * 60000, 500, "Failed to create the database."),
        (b'"' + b"x" * 100_000 + b'"', 500, "Failed to create the database."),
    ],
)  # fmt: skip
def test_a_wrong_body_is_answered_in_neons_words(
    neon_new_server: NeonNewServer, body: bytes, status: int, message: str
) -> None:
    answer = asking.post(f"{neon_new_server.api}/database", content=body)
    assert answer.status_code == status
    assert answer.json()["message"] == message
    assert ("hint" in answer.json()) is (status == 400)
    assert neon_new_server.databases.all() == []


@pytest.mark.parametrize(
    "name", ["019beb39-37fb-709d-87ac-7ad6198b89f7", "nonsense", "%2e%2e", "x" * 3000]
)
def test_an_unknown_id_is_answered_in_neons_words(
    neon_new_server: NeonNewServer, name: str
) -> None:
    answer = read(neon_new_server, name)
    assert (answer.status_code, answer.json()) == (400, {"message": "Database not found"})


def test_what_is_not_there_is_json_in_the_api_and_a_page_elsewhere(
    neon_new_server: NeonNewServer,
) -> None:
    answer = asking.get(f"{neon_new_server.api}/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
    assert httpx.put(f"{neon_new_server.api}/database").json() == {"message": "Method Not Allowed"}
    assert "<h1>" in asking.get(f"{neon_new_server.url}/nothing").text


def test_the_older_form_makes_one_database_of_the_id_that_the_client_chose(
    neon_new_server: NeonNewServer,
) -> None:
    name = str(uuid.uuid4())
    url = f"{neon_new_server.api}/database/{name}"
    first = asking.post(url, params={"referrer": "npm:neon-new|x"}, json={})
    second = asking.post(url, params={"referrer": "npm:neon-new|x"})
    assert first.status_code == second.status_code == 200
    assert first.json() == second.json() == read(neon_new_server, name).json()
    assert first.json()["id"] == name
    assert asking.post(url).json()["message"] == "Missing referrer"
    assert len(neon_new_server.databases.all()) == 1


def test_many_at_once_are_as_many_databases_and_one_id_is_one(
    neon_new_server: NeonNewServer,
) -> None:
    own = f"{neon_new_server.api}/database"
    chosen = f"{own}/019beb39-37fb-709d-87ac-7ad6198b89f7?referrer=tests"

    def post(url: str) -> dict[str, str]:
        made: dict[str, str] = httpx.post(url, json={"ref": "tests"}, timeout=60).json()
        return made

    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(post, [own] * 6 + [chosen] * 6))
    assert len({one["connection_string"] for one in made}) == 7
    assert len(neon_new_server.databases.all()) == 7
    assert all(answers(one["connection_string"]) for one in made)


def test_a_damaged_record_is_said_and_nothing_is_lost(neon_new_server: NeonNewServer) -> None:
    made = make(neon_new_server)
    record = neon_new_server.databases.folder(made["id"]) / "database.json"
    record.write_text("{")
    answer = read(neon_new_server, made["id"])
    assert answer.status_code == 500
    assert "is damaged" in answer.json()["hint"]
    page = asking.get(made["claim_url"])
    assert page.status_code == 500
    assert "is damaged" in page.text
    assert make(neon_new_server)["status"] == "UNCLAIMED"
    assert answers(made["connection_string"])


def test_logical_replication_is_on_where_it_was_asked_for(neon_new_server: NeonNewServer) -> None:
    for wanted in (True, False):
        answer = asking.post(
            f"{neon_new_server.api}/database",
            json={"ref": "tests", "enable_logical_replication": wanted},
        )
        with psycopg.connect(answer.json()["connection_string"]) as connection:
            level = connection.execute("SHOW wal_level").fetchone()
        assert (level == ("logical",)) is wanted


def test_a_claimed_database_keeps_working_and_its_url_is_not_given_again(
    neon_new_server: NeonNewServer,
) -> None:
    made = make(neon_new_server)
    claimed = asking.post(made["claim_url"], follow_redirects=True)
    assert claimed.status_code == 200
    now = read(neon_new_server, made["id"]).json()
    assert (now["status"], now["connection_string"]) == ("CLAIMED", None)
    assert now["updated_at"] > made["updated_at"]
    assert answers(made["connection_string"])
    neon_new_server.let_expire(made["id"])
    assert read(neon_new_server, made["id"]).status_code == 200
    assert answers(made["connection_string"])


def test_an_expired_database_is_refused_at_once_and_deleted_with_its_data(
    neon_new_server: NeonNewServer,
) -> None:
    made, other = make(neon_new_server), make(neon_new_server)
    neon_new_server.let_expire(made["id"])
    assert read(neon_new_server, made["id"]).status_code == 400
    again = asking.post(
        f"{neon_new_server.api}/database/{made['id']}", params={"referrer": "tests"}, json={}
    )
    assert again.json() == {"message": "Database not found"}
    assert [record.id for record in neon_new_server.databases.all()] == [other["id"]]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(made["connection_string"], connect_timeout=5)
    assert answers(other["connection_string"])


def test_databases_and_claims_survive_a_restart(warm_parts: Path) -> None:
    home = warm_home(warm_parts)
    try:
        with serving(home) as first:
            kept, claimed, expired = make(first), make(first), make(first)
            with psycopg.connect(kept["connection_string"]) as connection:
                connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
            asking.post(claimed["claim_url"])
            first.let_expire(expired["id"])
        stopped = [first.databases.state(record) for record in first.databases.all()]
        assert stopped == [State.STOPPED, State.STOPPED]
        with serving(home) as second:
            again = read(second, kept["id"]).json()
            assert again["connection_string"] == kept["connection_string"]
            assert again["expires_at"] == kept["expires_at"]
            with psycopg.connect(kept["connection_string"]) as connection:
                assert connection.execute("SELECT x FROM kept").fetchone() == (7,)
            assert read(second, claimed["id"]).json()["status"] == "CLAIMED"
            assert asking.get(f"{second.url}/claim/{expired['id']}").status_code == 410
    finally:
        remove_home(home)


def test_a_database_whose_server_died_is_started_when_it_is_asked_for(
    neon_new_server: NeonNewServer,
) -> None:
    made = make(neon_new_server)
    record = neon_new_server.databases.get(made["id"])
    assert record is not None
    neon_new_server.databases.stop(record)
    assert answers(read(neon_new_server, made["id"]).json()["connection_string"])


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "[::1"},
        {"host": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_web_site_from_elsewhere_can_neither_make_nor_claim_a_database(
    neon_new_server: NeonNewServer, headers: dict[str, str]
) -> None:
    made = make(neon_new_server)
    for url in (f"{neon_new_server.api}/database", made["claim_url"]):
        answer = asking.post(url, content=json.dumps({"ref": "x"}), headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert len(neon_new_server.databases.all()) == 1
    assert read(neon_new_server, made["id"]).json()["status"] == "UNCLAIMED"


def test_a_host_that_is_made_to_point_here_cannot_read_either(
    neon_new_server: NeonNewServer,
) -> None:
    made = make(neon_new_server)
    answer = asking.get(
        f"{neon_new_server.api}/database/{made['id']}", headers={"host": "evil.example"}
    )
    assert answer.status_code == 403
    assert "postgresql" not in answer.text
