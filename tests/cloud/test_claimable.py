"""An agent's database: registered once, its secret kept apart, claimed with a code, adopted."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from neonup_emulator.neon.claimable.model import AgentRegistration
from tests import asking
from tests.cloud.relay import Relay
from tests.contract.wire import answer, wire
from tests.emulator.agent import Person
from tests.emulator.serving import NeonServer
from tests.programs import Program
from tests.project import Project, clean_environ
from tests.variables import check, declare


@pytest.fixture
def root(neon_server_here: NeonServer) -> str:
    return neon_server_here.base.removesuffix("/api/v2")


@pytest.fixture
def agent(tmp_path: Path, neonup_home: Path, root: str) -> Project:
    """An empty project whose databases come from the agent identity service."""
    folder = tmp_path / "shop"
    folder.mkdir()
    environ = {
        "CLAIMABLE_NEON_HOST": root,
        "NEONUP_PROVIDER": "claimable",
        "NEONUP_ENV_KEYS": "all",
    }
    return Project(folder, clean_environ(neonup_home, **environ))


@pytest.fixture
def person(root: str, tmp_path: Path) -> Iterator[Person]:
    found = Person(root, f"{tmp_path.name}-{id(tmp_path)}@example.com")
    yield found
    found.pages.close()


@pytest.fixture(autouse=True)
def the_right_time(neon_server_here: NeonServer) -> Iterator[None]:
    yield
    neon_server_here.neon.clock.ahead = timedelta()


def kept(home: Path) -> list[dict[str, str]]:
    """What the home has of identities."""
    return [json.loads(path.read_text()) for path in sorted((home / "claimable").iterdir())]


@contextmanager
def claiming(agent: Project, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """``neonup claim``, which waits."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "neonup", "claim", "--no-open", "--wait"],
        cwd=agent.folder,
        env={**agent.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def printed_code(process: subprocess.Popen[str]) -> str:
    """The code that it prints next, and with it the page."""
    assert process.stdout
    found = re.match(r"code: (\S+), good until \d\d:\d\d UTC\n", process.stdout.readline())
    assert found
    assert f"code={found[1]}" in process.stdout.readline()
    return found[1]


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it says on stderr, up to the line with some words."""
    assert process.stderr
    said = ""
    for line in process.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def unclaimed(server: NeonServer) -> set[str]:
    """The registrations that are there."""
    return {one.id for one in server.neon.store.all(AgentRegistration)}


def test_a_first_run_registers_and_keeps_the_secret_out_of_env(
    agent: Project, neonup_home: Path
) -> None:
    done = agent.neonup(NEONUP_CLAIMABLE_CAPABILITIES="storage")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "created an unclaimed Neon database" in said
    assert "expires in 2 d 23 h unless claimed" in said
    assert "not granted: storage (requires_claim)" in said
    assert "neonup claim" in said
    (identity,) = kept(neonup_home)
    secret = identity["assertion"]
    status = agent.ok("status")
    assert "storage (requires_claim)" in status
    assert secret not in said + status + agent.env_file.read_text()
    (path,) = (neonup_home / "claimable").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert agent.query("SELECT 1") == "1"
    assert "found" in agent.ok(CLAIMABLE_NEON_HOST="http://localhost:9")


def test_by_force_there_is_another_each_time(agent: Project) -> None:
    seen = []
    for arguments in ([], ["--force"], ["--force"], ["reset", "--yes"]):
        agent.ok(*arguments)
        seen.append(agent.json("status")["id"])
        assert agent.query("SELECT 1") == "1"
    assert len({*seen}) == 4


def test_logical_replication_cannot_be_asked_for(agent: Project) -> None:
    assert "logical replication" in agent.fails(NEONUP_LOGICAL_REPLICATION="true")
    assert not agent.env_file.exists()


def test_a_secret_that_others_can_read_is_refused(agent: Project, neonup_home: Path) -> None:
    agent.ok()
    (path,) = (neonup_home / "claimable").iterdir()
    path.chmod(0o644)
    assert f"chmod 600 {path}" in agent.fails("status")


def test_killed_before_env_was_written_the_next_run_takes_the_registration_up(
    agent: Project, neonup_home: Path, neon_server_here: NeonServer, relay: Relay
) -> None:
    before = unclaimed(neon_server_here)
    relay.hold.append("GET /v1/projects/*/credentials")
    process = Program(
        [sys.executable, "-m", "neonup"],
        cwd=agent.folder,
        env={**agent.environ, "CLAIMABLE_NEON_HOST": relay.root},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert relay.held.wait(60)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    agent.ok(CLAIMABLE_NEON_HOST=relay.root)
    assert len(unclaimed(neon_server_here) - before) == 1
    assert agent.query("SELECT 1") == "1"


def test_a_lost_answer_to_the_registration_is_an_error_and_not_repeated(
    agent: Project, relay: Relay, neon_server_here: NeonServer
) -> None:
    before = unclaimed(neon_server_here)
    relay.lose.append("POST /v1/agent/identity")
    said = agent.fails(CLAIMABLE_NEON_HOST=relay.root)
    assert "claimable.neon.tech: no usable answer" in said
    assert relay.asked == ["POST /v1/agent/identity"]
    assert len(unclaimed(neon_server_here) - before) == 1  # it expires by itself
    agent.ok(CLAIMABLE_NEON_HOST=relay.root)


def test_other_lost_answers_are_asked_for_again(agent: Project, relay: Relay) -> None:
    relay.lose += ["POST /v1/oauth2/token", "GET /v1/projects/*/credentials"]
    agent.ok(CLAIMABLE_NEON_HOST=relay.root)
    assert agent.query("SELECT 1") == "1"
    relay.lose.append("DELETE /v1/projects/*")
    agent.ok("destroy", "--yes")
    assert not agent.env_file.exists()


def test_a_claim_from_the_code_to_the_new_url(
    agent: Project, neonup_home: Path, neon_server_here: NeonServer, person: Person, relay: Relay
) -> None:
    """`claim` prints a code and waits; the old URL is dead; `adopt` brings the new one."""
    declare(agent)
    agent.ok(CLAIMABLE_NEON_HOST=relay.root)
    old = agent.url
    with psycopg.connect(old) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    key = {"NEON_API_HOST": neon_server_here.base, "NEON_API_KEY": person.account["api_key"]}
    assert "has not been claimed yet" in agent.fails("adopt", **key)
    with claiming(agent) as process:
        code = printed_code(process)
        relay.meet = lambda request: 503 if "/oauth2/token" in request else None
        said = read_until(process, "It is asked again until it answers.")
        assert 'From "Continue" on that page on, the password in .env is dead' in said
        assert "Waiting until " in said and "Ctrl-C leaves it claimable" in said
        relay.meet = lambda request: None
        assert person.claim(code).status_code == 200
        said, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "has been claimed" in said and "neonup adopt" in said
    (identity,) = kept(neonup_home)
    assert not identity["assertion"] and identity["ended"] == "project_claimed"
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(old, connect_timeout=60)
    check(agent)
    assert "neonup adopt" in agent.ok()
    assert "neonup adopt" in agent.ok("status")
    assert "has been claimed already" in agent.fails("claim")
    stranger = {"NEON_API_HOST": neon_server_here.base, "NEON_API_KEY": neon_server_here.key}
    assert "is not in the account whose key is used" in agent.fails("adopt", **stranger)
    assert agent.url == old
    said = agent.ok("adopt", **key)
    assert "adopted" in said
    check(agent)
    assert agent.url != old and urlsplit(agent.url).hostname == urlsplit(old).hostname
    assert agent.query("SELECT n FROM kept") == "7"
    assert "provider=account" in agent.env_file.read_text()
    assert "expires" not in agent.env_file.read_text()
    assert agent.json("status", **key)["state"] == "ready"
    assert "not created by neonup in this account" in agent.fails("destroy", "--yes", **key)


def test_a_window_that_lapses_is_followed_by_another_code_and_the_claim_by_the_new_url(
    agent: Project, neon_server_here: NeonServer, person: Person
) -> None:
    """From "Continue" on the URL is dead, also where nobody finishes the claim in time."""
    declare(agent)
    agent.ok()
    with psycopg.connect(agent.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    key = {"NEON_API_HOST": neon_server_here.base, "NEON_API_KEY": person.account["api_key"]}
    with claiming(agent, **key) as process:
        person.proceed(person.look(printed_code(process)))
        said = read_until(process, "to finish the claim")
        assert 'Somebody has pressed "Continue": the password in .env is dead.' in said
        assert "Its password is dead: somebody has begun to claim it." in agent.ok()
        status = agent.json("status")
        assert (status["state"], status["detail"]["claim"]) == ("revoked", "accepted")
        assert "may finish that until " in status["detail"]["next"]
        neon_server_here.neon.clock.ahead = timedelta(minutes=16)
        code = printed_code(process)
        said = read_until(process, 'press "Continue"')
        assert "The time was over before the claim was finished. Another code:" in said
        assert "The password in .env is dead, since somebody has begun" in said
        status = agent.json("status")
        assert (status["state"], status["detail"]["claim"]) == ("revoked", "pending")
        assert "neonup claim" in status["detail"]["next"]
        assert "Its password is dead" in agent.ok(CLAIMABLE_NEON_HOST="http://localhost:9")
        assert person.claim(code).status_code == 200
        told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "The database has been claimed" in told and "adopted" in told
    check(agent)
    assert agent.query("SELECT n FROM kept") == "7"
    assert "provider=account" in agent.env_file.read_text()
    assert "found a Neon database of your account" in agent.ok(**key)


def test_while_somebody_is_claiming_it_there_is_no_other_code(
    agent: Project, neon_server_here: NeonServer, person: Person
) -> None:
    agent.ok()
    person.proceed(person.look(agent.json("claim")["code"]))
    said = agent.fails("claim", "--no-open")
    assert "Somebody is claiming the database." in said and "may finish that until" in said
    assert json.loads(agent.neonup("claim", "--json").stdout)["error"]["code"] == (
        "claim_in_progress"
    )
    with claiming(agent) as process:
        read_until(process, "Somebody is claiming the database.")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "It can still be claimed" in errors
    assert "has begun to claim" in agent.fails("destroy", "--yes")
    id_, text = agent.json("status")["id"], agent.env_file.read_text()
    agent.env_file.write_text(re.sub(r"expires=\S+", "expires=2026-01-01T00:00:00+00:00", text))
    assert "Its password is dead" in agent.ok("-y")  # a claim that has begun outlives the expiry
    assert agent.json("status")["id"] == id_
    agent.env_file.write_text(text)
    neon_server_here.neon.clock.ahead = timedelta(minutes=16)
    assert "has begun to claim" in agent.fails("destroy", "--yes")
    key = {"NEON_API_HOST": neon_server_here.base, "NEON_API_KEY": person.account["api_key"]}
    assert "begun and is not finished" in agent.fails("adopt", **key)
    assert "Its password is dead" in agent.ok()
    assert "neonup claim" in agent.ok("status")
    old = agent.json("status")["id"]
    agent.env_file.unlink()  # nobody has its URL any more: another one is created
    agent.ok()
    assert agent.json("status")["id"] != old
    assert agent.query("SELECT 1") == "1"


def test_a_code_that_nobody_used_leaves_the_url_alive(
    agent: Project, neon_server_here: NeonServer
) -> None:
    """Without a terminal nobody is waited for."""
    agent.ok()
    assert agent.ok("claim", "--no-open").count("code") == 2
    assert "password is dead" not in agent.ok()
    neon_server_here.neon.clock.ahead = timedelta(minutes=16)
    assert "password is dead" not in agent.ok()
    assert "found" in agent.ok()
    status = agent.json("status")
    assert (status["state"], status["detail"]["claim"]) == ("ready", "expired")
    assert agent.query("SELECT 1") == "1"
    assert agent.json("claim")["code"]


def test_the_next_start_says_that_a_claim_has_begun_for_which_nobody_has_waited(
    agent: Project, neon_server_here: NeonServer, person: Person
) -> None:
    """A start asks what became of a code, and of no other database."""
    agent.ok()
    console = person.proceed(person.look(agent.json("claim")["code"]))
    neon_server_here.neon.clock.ahead = timedelta(minutes=16)
    assert "Its password is dead: somebody has begun to claim it." in agent.ok()
    assert "revoked" in agent.neonup("doctor").stdout
    neon_server_here.neon.clock.ahead = timedelta()  # the window is open again
    assert person.take(console).status_code == 200
    assert "It has been claimed and belongs to its owner's account" in agent.ok()
    assert "provider=user id=claimable:" in agent.env_file.read_text()


def test_at_a_terminal_the_claim_is_waited_for(agent: Project) -> None:
    agent.ok()
    terminal, other = pty.openpty()
    try:
        process = Program(
            [sys.executable, "-m", "neonup", "claim", "--no-open"],
            cwd=agent.folder,
            env=agent.environ,
            stdin=subprocess.DEVNULL,
            stdout=other,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            read_until(process, "Waiting until ")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
            process.communicate()
        assert process.returncode == 130
    finally:
        os.close(other)
        os.close(terminal)


def test_what_the_service_cannot_grant_is_an_error(
    agent: Project, neon_server_here: NeonServer, neonup_home: Path
) -> None:
    """The local Neon has neither the Data API nor Neon Auth."""
    before = unclaimed(neon_server_here)
    said = agent.fails(NEONUP_CLAIMABLE_CAPABILITIES="auth,data_api")
    assert "does not grant data_api (not_available), auth (not_available)" in said
    assert "capabilities" in said
    assert not agent.env_file.exists()
    assert [one["ended"] for one in kept(neonup_home)] == ["deleted"]
    agent.ok()
    assert len(unclaimed(neon_server_here) - before) == 2


SERVICES = {
    "data_api": ("url", "NEON_DATA_API_URL", "https://ep-1.apirest.example/neondb/rest/v1"),
    "auth": ("base_url", "NEON_AUTH_BASE_URL", "https://ep-1.auth.example/neondb/auth"),
}


def grant(relay: Relay) -> list[list[str]]:
    """Have a relay answer as Neon, which grants the services that the local Neon has not.

    Returns:
        The capabilities that were asked for, by each registration.
    """
    asked: list[list[str]] = []

    def change(request: str, body: bytes, content: bytes) -> bytes:
        if request == "POST /v1/agent/identity":
            asked.append(json.loads(body)["capabilities"])
            granted = [{"capability": name, "granted": True, "scopes": []} for name in asked[-1]]
            return json.dumps(json.loads(content) | {"capabilities": granted}).encode()
        if request.endswith("/credentials"):
            addresses = {
                name: {field: address, "more": "is not read"}
                for name, (field, _, address) in SERVICES.items()
                if name in asked[-1]
            }
            return json.dumps(json.loads(content) | {"services": addresses}).encode()
        return content

    relay.change = change
    return asked


@pytest.mark.parametrize("wanted", [[], ["auth"], ["data_api"]])
def test_services_are_asked_for_only_where_that_is_set(
    agent: Project, relay: Relay, wanted: list[str]
) -> None:
    asked = grant(relay)
    if wanted:
        table = f"[tool.neonup.claimable]\ncapabilities = {wanted}\n"
        (agent.folder / "pyproject.toml").write_text(table)
    agent.ok(CLAIMABLE_NEON_HOST=relay.root)
    assert asked == [["postgres", *wanted]]
    written = {name: value for name, value in agent.variables.items() if name.startswith("NEON_")}
    assert written == {SERVICES[name][1]: SERVICES[name][2] for name in wanted}


def test_addresses_of_other_services_are_written_and_stay(
    agent: Project, relay: Relay, root: str, neon_server_here: NeonServer
) -> None:
    """The Data API and Neon Auth survive a claim, and so do their variables."""
    asked = grant(relay)
    agent.environ["CLAIMABLE_NEON_HOST"] = relay.root
    agent.env_file.write_text("A=1\n")
    agent.ok(NEONUP_CLAIMABLE_CAPABILITIES="data_api,auth")
    assert asked == [["postgres", "data_api", "auth"]]
    lines = [f"{name}={address}" for _, name, address in SERVICES.values()]

    def are_written() -> bool:
        text = agent.env_file.read_text()
        return text.startswith("A=1\n") and [text.count(line) for line in lines] == [1, 1]

    assert are_written()
    agent.ok()  # also where they are not asked for any more
    assert are_written() and len(asked) == 1
    key = {"NEON_API_HOST": neon_server_here.base, "NEON_API_KEY": neon_server_here.key}
    code, old = agent.json("claim")["code"], agent.url
    owner = {"Authorization": f"Bearer {neon_server_here.key}"}
    claimed = asking.post(f"{root}/neonup/claim", json={"code": code}, headers=owner, timeout=60)
    claimed.raise_for_status()
    assert "neonup adopt" in agent.ok()
    assert are_written()
    agent.ok("adopt", **key)
    assert are_written()
    assert "provider=account" in agent.env_file.read_text() and agent.url != old
    assert agent.query("SELECT 1") == "1"
    agent.ok("--force", "--provider", "local")  # to another database they do not lead
    assert "NEON_" not in agent.env_file.read_text()
    assert agent.env_file.read_text().startswith("A=1\nDATABASE_URL=")


def test_a_token_that_expires_in_between_is_exchanged_anew(
    agent: Project, relay: Relay, neon_server_here: NeonServer
) -> None:
    """The clock jumps between the exchange and the next request."""
    agent.ok(CLAIMABLE_NEON_HOST=relay.root)
    relay.before["GET /v1/projects/*/claim"] = lambda: setattr(
        neon_server_here.neon.clock, "ahead", timedelta(minutes=20)
    )
    assert agent.json("status")["state"] == "ready"
    assert relay.asked[-5:].count("POST /v1/oauth2/token") == 2


def test_json_tells_the_code_and_does_not_wait(agent: Project) -> None:
    agent.ok()
    shown = agent.json("claim")
    assert set(shown) == {"claim_url", "code", "expires_at", "effect"}
    assert shown["code"] in shown["claim_url"]
    assert agent.json("status")["detail"]["claim"] == "pending"


def test_a_claim_that_somebody_else_has_waited_for_is_noticed(
    agent: Project, person: Person
) -> None:
    agent.ok()
    console = person.proceed(person.look(agent.json("claim")["code"]))
    assert agent.json("status")["detail"]["claim"] == "accepted"
    person.take(console)
    status = agent.json("status")
    assert (status["state"], status["detail"]["next"]) == ("claimed", "neonup adopt")
    assert "is its owner's to delete" in agent.fails("destroy", "--yes")
    said = agent.ok(CLAIMABLE_NEON_HOST="http://localhost:9")  # known here: nobody is asked
    assert "neonup adopt" in said and "unless claimed" not in said


def test_an_expired_one_says_so_and_is_replaced_where_that_is_wanted(
    agent: Project, neonup_home: Path, neon_server_here: NeonServer
) -> None:
    agent.ok()
    old = agent.json("status")["id"]
    neon_server_here.neon.clock.ahead = timedelta(hours=73)
    assert agent.json("status")["state"] == "expired"
    assert [one["ended"] for one in kept(neonup_home)] == ["project_expired"]
    assert "expired" in agent.fails("claim")
    text = re.sub(r"expires=\S+", "expires=2026-01-01T00:00:00+00:00", agent.env_file.read_text())
    agent.env_file.write_text(text)
    assert "neonup --force" in agent.fails()
    neon_server_here.neon.clock.ahead = timedelta()
    agent.ok("-y")
    assert agent.json("status")["id"] != old


@pytest.mark.parametrize("status", ["500", "429", "401"])
def test_the_secret_outlives_every_other_refusal(
    agent: Project, neonup_home: Path, status: str
) -> None:
    agent.ok()
    envelope = {"error": {"code": "unauthorized", "message": "no", "retryable": False}}
    with wire(answer(envelope, int(status))) as service:
        (path,) = (neonup_home / "claimable").iterdir()
        found = json.loads(path.read_text())
        path.write_text(json.dumps(found | {"base": service.url}))
        assert found["assertion"] not in agent.fails("status")
        path.write_text(json.dumps(json.loads(path.read_text()) | {"base": found["base"]}))
    assert agent.json("status")["state"] == "ready"


@pytest.mark.parametrize(
    "url",
    ["postgres://u:p@h/d\nEVIL=1", "postgres://u:p@h/d?sslkey=/etc/x", "http://u:p@h/d", None, 7],
)
def test_a_hostile_service_writes_nothing(agent: Project, url: object) -> None:
    project = {"id": "quiet-sea-1", "branch_id": "br-1", "expires_at": "2030-01-01T00:00:00Z"}
    identity = {"registration_id": "reg_1", "identity_assertion": "a.b.c", "project": project}
    token = {"access_token": "t", "token_type": "Bearer", "expires_in": 900}
    with wire(answer(identity, 201), answer(token), answer({"database_url": url})) as service:
        said = agent.fails(CLAIMABLE_NEON_HOST=service.url)
    assert "the answer cannot be used" in said
    assert not agent.env_file.exists()


@pytest.mark.parametrize(
    "url", ["http://claimable.example", "https://u:p@claimable.example", "nonsense"]
)
def test_an_address_that_the_secret_must_not_be_sent_to(agent: Project, url: str) -> None:
    said = agent.fails(CLAIMABLE_NEON_HOST=url)
    assert "cannot be used" in said and "CLAIMABLE_NEON_HOST" in said
    assert not agent.env_file.exists()
