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
import psutil
import psycopg
import pytest

from neonup_emulator.neon.claimable import holding, neon_new
from neonup_emulator.neon.metering import quotas
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.overview import NeonServers
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
    with psycopg.connect(url, connect_timeout=60) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def project(server: NeonNewServer, project_id: str) -> httpx.Response:
    """What the default user's API says of a project."""
    headers = {"Authorization": f"Bearer {server.key}"}
    return asking.get(f"{server.url}/api/v2/projects/{project_id}", headers=headers)


def claim(server: NeonNewServer, key: str, **wanted: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return asking.post(f"{server.url}/neonup/claim", json=wanted, headers=headers)


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
    tls = neon_new_server.neon.clusters.engines.for_major(None).tls
    query = urlsplit(made["connection_string"]).query
    assert query == ("sslmode=require&channel_binding=require" if tls else "")
    with psycopg.connect(made["connection_string"]) as connection:
        assert bool(connection.pgconn.ssl_in_use) is tls


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
    assert neon_new_server.ids == []


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
    assert asking.put(f"{neon_new_server.api}/database").json() == {"message": "Method Not Allowed"}
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
    assert len(neon_new_server.ids) == 1


def test_many_at_once_are_as_many_databases_and_one_id_is_one(
    neon_new_server: NeonNewServer,
) -> None:
    own = f"{neon_new_server.api}/database"
    chosen = f"{own}/019beb39-37fb-709d-87ac-7ad6198b89f7?referrer=tests"

    def post(url: str) -> dict[str, str]:
        made: dict[str, str] = asking.post(url, json={"ref": "tests"}, timeout=60).json()
        return made

    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(post, [own] * 6 + [chosen] * 6))
    assert len({one["connection_string"] for one in made}) == 7
    assert len(neon_new_server.ids) == 7
    assert all(answers(one["connection_string"]) for one in made)


def test_two_hundred_are_asked_for_by_twenty_clients(neon_new_server: NeonNewServer) -> None:
    """First from nothing, then from projects that were created beforehand."""

    def ask(_: int) -> list[dict[str, str]]:
        with asking.client(timeout=60) as client:
            url, body = f"{neon_new_server.api}/database", {"ref": "tests"}
            found = [client.post(url, json=body) for _ in range(10)]
        assert {answer.status_code for answer in found} == {200}
        return [answer.json() for answer in found]

    seen: list[dict[str, str]] = []
    for _ in range(2):
        with ThreadPoolExecutor(20) as pool:
            seen += [made for some in pool.map(ask, range(20)) for made in some]
        neon_new.fill(neon_new_server.neon)
    assert len(seen) == len(neon_new_server.ids) == 400
    for name in ("id", "neon_project_id", "connection_string"):
        assert len({made[name] for made in seen}) == 400
    assert all(answers(made["connection_string"]) for made in (seen[0], seen[200], seen[399]))
    assert len(NeonServers(neon_new_server.home).rows()) == 400


def test_what_was_prepared_is_given_once_with_all_that_was_asked_for(
    neon_new_server: NeonNewServer,
) -> None:
    make(neon_new_server)
    neon_new.fill(neon_new_server.neon)
    prepared = [one for one in neon_new_server.neon.store.all(Project) if holding.is_prepared(one)]
    assert prepared
    answer = asking.post(
        f"{neon_new_server.api}/database",
        json={"ref": "tests", "enable_logical_replication": True},
    ).json()
    assert answer["neon_project_id"] in {one.id for one in prepared}
    with psycopg.connect(answer["connection_string"]) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
    new = neon_new_server.claim(answer["id"])
    assert answers(new)


def test_what_was_prepared_is_forgotten_at_the_next_start(warm_parts: Path) -> None:
    home = warm_home(warm_parts)
    try:
        with serving(home) as first:
            kept = make(first)
            neon_new.fill(first.neon)
            assert len(first.neon.store.all(Project)) > 1
        with serving(home) as second:
            assert [one.id for one in second.neon.store.all(Project)] == [kept["neon_project_id"]]
            assert len(list((home / "neon" / "clusters").iterdir())) == 1
            assert answers(kept["connection_string"])
    finally:
        remove_home(home)


def test_logical_replication_is_on_where_it_was_asked_for(neon_new_server: NeonNewServer) -> None:
    for wanted in (True, False):
        answer = asking.post(
            f"{neon_new_server.api}/database",
            json={"ref": "tests", "enable_logical_replication": wanted},
        )
        with psycopg.connect(answer.json()["connection_string"]) as connection:
            level = connection.execute("SHOW wal_level").fetchone()
        assert (level == ("logical",)) is wanted


def test_a_claimed_database_is_its_owners_whose_url_is_new(
    neon_new_server: NeonNewServer,
) -> None:
    made = make(neon_new_server)
    project_id, old = made["neon_project_id"], made["connection_string"]
    with psycopg.connect(old) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
    assert project(neon_new_server, project_id).status_code == 404
    new = neon_new_server.claim(made["id"])
    now = read(neon_new_server, made["id"]).json()
    assert (now["status"], now["connection_string"]) == ("CLAIMED", None)
    assert now["updated_at"] > made["updated_at"]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old, connect_timeout=60)
    assert new != old and urlsplit(new).hostname == urlsplit(old).hostname
    with psycopg.connect(new) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (7,)
    assert "quota" not in project(neon_new_server, project_id).json()["project"]["settings"]
    neon_new_server.let_expire(made["id"])
    assert read(neon_new_server, made["id"]).status_code == 200
    assert answers(new)


def test_until_it_is_claimed_its_project_has_limits(neon_new_server: NeonNewServer) -> None:
    made = make(neon_new_server)
    found = neon_new_server.neon.store.get(Project, made["neon_project_id"])
    assert found is not None
    assert found.settings["quota"] == {
        "logical_size_bytes": 100 * 1024 * 1024,
        "data_transfer_bytes": 1024 * 1024 * 1024,
    }
    listed = asking.get(
        f"{neon_new_server.url}/api/v2/projects",
        headers={"Authorization": f"Bearer {neon_new_server.key}"},
    )
    assert listed.json()["projects"] == []


def test_more_data_than_that_suspends_it_until_it_is_claimed(
    neon_new_server: NeonNewServer,
) -> None:
    made = make(neon_new_server)
    with psycopg.connect(made["connection_string"]) as connection:
        connection.execute("CREATE UNLOGGED TABLE big (t text)")
        connection.execute("ALTER TABLE big ALTER t SET STORAGE PLAIN")
        connection.execute(
            "INSERT INTO big SELECT repeat('x', 8000) FROM generate_series(1, 13500)"
        )
    quotas.look(neon_new_server.neon)
    with pytest.raises(psycopg.OperationalError, match="exceeded the logical size quota"):
        psycopg.connect(made["connection_string"], connect_timeout=60)
    assert read(neon_new_server, made["id"]).json()["status"] == "UNCLAIMED"
    with psycopg.connect(neon_new_server.claim(made["id"])) as connection:
        assert connection.execute("SELECT count(*) FROM big").fetchone() == (13500,)


def test_a_claim_that_something_is_in_the_way_of_is_finished_later(
    neon_new_server: NeonNewServer,
) -> None:
    made, neon = make(neon_new_server), neon_new_server.neon
    with neon.journal.locked(made["neon_project_id"]):
        claimed = claim(neon_new_server, neon_new_server.key, id=made["id"])
        assert claimed.status_code == 200
        now = read(neon_new_server, made["id"]).json()
        assert (now["status"], now["connection_string"]) == ("CLAIMING", made["connection_string"])
        neon_new_server.let_expire(made["id"])
    neon_new.expire(neon)
    assert read(neon_new_server, made["id"]).json()["status"] == "CLAIMED"
    assert answers(neon_new_server.owned_url(made["neon_project_id"]))


def test_a_claim_without_a_browser_is_refused_where_one_with_it_would_be(
    neon_new_server: NeonNewServer,
) -> None:
    made, expired = make(neon_new_server), make(neon_new_server)
    neon_new_server.let_expire(expired["id"])
    key = neon_new_server.key
    other = asking.post(f"{neon_new_server.url}/neonup/users", json={"email": "ada@example.com"})
    for wanted, secret, status in (
        ({"id": made["id"]}, "napi_nobodys", 401),
        ({"id": made["id"], "org_id": other.json()["org_id"]}, key, 403),
        ({"id": expired["id"]}, key, 404),
        ({"id": "nonsense"}, key, 404),
        ({}, key, 400),
    ):
        assert claim(neon_new_server, secret, **wanted).status_code == status
    assert read(neon_new_server, made["id"]).json()["status"] == "UNCLAIMED"
    assert claim(neon_new_server, key, id=made["id"]).status_code == 200
    assert claim(neon_new_server, key, id=made["id"]).status_code == 200  # again does no harm
    assert claim(neon_new_server, other.json()["api_key"], id=made["id"]).status_code == 409


def test_an_expired_database_is_remembered_for_thirty_days(neon_new_server: NeonNewServer) -> None:
    made = make(neon_new_server)
    for days, status in ((2.9, 200), (3.1, 410), (32.9, 410), (33.1, 404)):
        clock = {"ahead_seconds": days * 86400}
        url = f"{neon_new_server.url}/neonup/clock"
        moved = asking.put(url, json=clock, headers=neon_new_server.authorization)
        assert moved.status_code == 200
        assert asking.get(made["claim_url"]).status_code == status


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
    assert neon_new_server.ids == [other["id"]]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(made["connection_string"], connect_timeout=60)
    assert answers(other["connection_string"])


def test_databases_and_claims_survive_a_restart(warm_parts: Path) -> None:
    home = warm_home(warm_parts)
    try:
        with serving(home) as first:
            kept, claimed, expired = make(first), make(first), make(first)
            with psycopg.connect(kept["connection_string"]) as connection:
                connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
            new = first.claim(claimed["id"])
            first.let_expire(expired["id"])
        assert [row["state"] for row in NeonServers(home).rows()] == ["stopped", "stopped"]
        with serving(home) as second:
            again = read(second, kept["id"]).json()
            assert again["connection_string"] == kept["connection_string"]
            assert again["expires_at"] == kept["expires_at"]
            with psycopg.connect(kept["connection_string"]) as connection:
                assert connection.execute("SELECT x FROM kept").fetchone() == (7,)
            assert read(second, claimed["id"]).json()["status"] == "CLAIMED"
            assert answers(new)
            assert asking.get(f"{second.url}/claim/{expired['id']}").status_code == 410
    finally:
        remove_home(home)


def test_a_database_whose_server_died_is_started_by_the_next_connection(
    neon_new_server: NeonNewServer,
) -> None:
    made = make(neon_new_server)
    assert answers(made["connection_string"])
    (row,) = NeonServers(neon_new_server.home).rows()
    server = psutil.Process(int(row["pid"] or 0))
    server.kill()
    server.wait(60)
    assert answers(made["connection_string"])


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
    assert len(neon_new_server.ids) == 1
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
