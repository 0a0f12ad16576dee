"""neon.new's client against services that fail, in every way that a network has."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

import neonup
from neonup import (
    Database,
    DatabaseClaimed,
    DatabaseSpec,
    ProviderError,
    ServiceError,
    Settings,
    SettingsError,
    State,
)
from neonup.providers.neon_new import NeonNewProvider
from tests.contract.wire import Script, answer, drip, flood, hang, raw, wire

ID = "01a20710-a3dc-7252-8e55-3de080787888"
URL = (
    "postgresql://neondb_owner:npg_secret1234@ep-cool-breeze-a1b2c3d4-pooler.c-2.us-east-2.aws."
    "neon.tech/neondb?channel_binding=require&sslmode=require"
)
GOOD: dict[str, Any] = {
    "id": ID,
    "status": "UNCLAIMED",
    "neon_project_id": "cool-breeze-12345678",
    "connection_string": URL,
    "claim_url": f"https://neon.new/claim/{ID}",
    "expires_at": "2099-02-01T12:00:00.000Z",
    "created_at": "2099-01-29T12:00:00.000Z",
    "updated_at": "2099-01-29T12:00:00.000Z",
}


def provision(provider: NeonNewProvider, spec: DatabaseSpec) -> Database:
    return provider.provision(spec)


def a_provider(url: str, timeout: float = 5) -> NeonNewProvider:
    table = {"url": url, "timeout": timeout}
    here = Path("/nowhere")
    return NeonNewProvider(Settings(project=here, home=here, tables={"neon.new": table}))


SPEC = DatabaseSpec(project=Path("/nowhere"), key="DATABASE_URL", env_file=Path("/nowhere/.env"))
RECORDED = Database(url=URL, provider="neon.new", id=ID)


def failure(*scripts: Script, timeout: float = 5) -> ServiceError:
    """The error of a provision; it names the request, a remedy, and no secret."""
    with wire(*scripts) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api, timeout), SPEC)
    error = raised.value
    assert f"POST {service.api}/database" in error.checked
    assert error.remedy
    for text in (str(error), repr(error), str(error.as_dict())):
        assert "npg_secret" not in text
        assert "Traceback" not in text
        assert text.isprintable() or "\n" in text
    return error


def test_a_new_database_has_all_that_the_service_said() -> None:
    with wire(answer(GOOD | {"brand_new_field": {"deep": [1]}})) as service:
        made = provision(a_provider(service.api), SPEC)
    assert service.asked == ["POST /api/v1/database HTTP/1.1"]
    assert made.url == URL
    assert made.direct_url == URL.replace("-pooler", "")
    assert made.claim_url == GOOD["claim_url"]
    assert made.expires_at == datetime(2099, 2, 1, 12, tzinfo=UTC)
    assert (made.id, made.provider, made.created, made.key) == (
        ID,
        "neon.new",
        True,
        "DATABASE_URL",
    )
    assert "npg_secret" not in repr(made)
    assert "claim/" not in repr(made)


def test_optional_fields_may_be_missing() -> None:
    least = {"id": ID, "connection_string": URL}
    with wire(answer(least)) as service:
        made = provision(a_provider(service.api), SPEC)
    assert (made.url, made.claim_url, made.expires_at) == (URL, None, None)


def test_a_database_without_a_pooler_has_one_url() -> None:
    plain = URL.replace("-pooler", "")
    with wire(answer(GOOD | {"connection_string": plain})) as service:
        made = provision(a_provider(service.api), SPEC)
    assert (made.url, made.direct_url, made.direct) == (plain, None, plain)


def test_a_refused_connection_names_the_local_provider() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    begin = time.monotonic()
    with pytest.raises(ServiceError) as raised:
        provision(a_provider(f"http://127.0.0.1:{port}/api/v1"), SPEC)
    assert time.monotonic() - begin < 4
    assert "cannot be reached (3 tries): Connection refused" in str(raised.value)
    assert 'provider = "local"' in str(raised.value)
    assert raised.value.status is None


def test_a_name_that_does_not_resolve_is_said() -> None:
    with pytest.raises(ServiceError, match="cannot be reached"):
        provision(a_provider("http://neon.invalid/api/v1"), SPEC)


@pytest.mark.parametrize(
    "script",
    [
        hang(),
        hang(b"HTTP/1.1 200 OK\r\ncontent-type: appl"),
        hang(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + b'{"id": "01a2'),
        drip(b"HTTP/1.1 200 OK\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"),
        drip(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b" " * 1000),
    ],
    ids=["silent", "half a head", "half a body", "a head in drops", "a body in drops"],
)
def test_an_answer_that_does_not_come_ends_in_time_and_is_not_asked_for_twice(
    script: Script,
) -> None:
    """A second request might make a second database."""
    begin = time.monotonic()
    with wire(script) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api, 0.5), SPEC)
    assert time.monotonic() - begin < 3
    assert "no complete answer within 0.5 s" in str(raised.value)
    assert len(service.asked) == 1


def test_a_connection_that_ends_early_is_not_asked_for_twice() -> None:
    for cut in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"):
        with wire(raw(cut)) as service, pytest.raises(ServiceError, match="cut off or malformed"):
            provision(a_provider(service.api), SPEC)
        assert len(service.asked) == 1


def test_reading_is_tried_three_times() -> None:
    good = answer(GOOD)
    with wire(raw(b""), hang(), good) as service:
        found = a_provider(service.api, 0.5).inspect(RECORDED)
    assert (found.state, len(service.asked)) == (State.READY, 3)
    with wire(raw(b"")) as service, pytest.raises(ServiceError, match=r"\(3 tries\)"):
        a_provider(service.api).inspect(RECORDED)
    assert len(service.asked) == 3


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_service_that_failed_once_is_asked_again(status: int) -> None:
    with wire(answer({"message": "hiccup"}, status), answer(GOOD)) as service:
        assert provision(a_provider(service.api), SPEC).id == ID
    assert 0.15 < service.times[1] - service.times[0] < 2


def test_a_service_that_keeps_failing_is_named_with_its_words() -> None:
    said = {"message": "Failed to create the database.", "hint": "out of\x1b[31m stock\n"}
    error = failure(answer(said, 500))
    assert "status 500: Failed to create the database.; out of" in error.message
    assert "(3 tries)" in error.message
    assert "\x1b" not in str(error)
    assert error.status == 500


def test_a_gateway_that_gave_up_waiting_is_not_asked_again() -> None:
    scripts = answer("<html>", 504, kind="text/html"), answer(GOOD)
    with wire(*scripts) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api), SPEC)
    assert (raised.value.status, len(service.asked)) == (504, 1)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_service_that_asks_to_wait_is_given_the_time(form: str) -> None:
    """The date names whole seconds, so it may be up to one less."""
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    wait = "1" if form == "seconds" else then
    with wire(answer({}, 429, retry_after=wait), answer(GOOD)) as service:
        assert provision(a_provider(service.api), SPEC).id == ID
    assert 0.95 < service.times[1] - service.times[0] < 4


@pytest.mark.parametrize("wait", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_service_that_asks_for_too_long_is_left_alone(wait: str) -> None:
    begin = time.monotonic()
    said = "too many requests from here; it asks to wait"
    with (
        wire(answer({}, 429, retry_after=wait)) as service,
        pytest.raises(ServiceError, match=said),
    ):
        provision(a_provider(service.api), SPEC)
    assert time.monotonic() - begin < 2
    assert len(service.asked) == 1


def test_a_failing_service_that_asks_for_too_long_is_quoted() -> None:
    """As a busy one: both errors come from the same builder."""
    error = failure(answer({"message": "down for repair"}, 503, retry_after="3600"))
    assert "status 503: down for repair; it asks to wait 3600 s" in error.message


@pytest.mark.parametrize("wait", ["", "soon", "-5", "1e3", "Fri, 99 Foo", "\u0661", "9" * 400])
def test_a_senseless_retry_after_does_no_harm(wait: str) -> None:
    error = failure(answer({}, 429, retry_after=wait))
    assert error.status == 429


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (answer("<!doctype html><title>Sign in</title>", kind="text/html"), "an HTML page"),
        (answer('{"id": "01a2', kind="application/json"), "not JSON, or not all of it"),
        (answer(""), "not JSON"),
        (answer(b"\xff\xfe\x00"), "not JSON"),
        (answer("[" * 100_000), "not JSON"),
        (answer([GOOD]), "not an object"),
        (answer("null"), "not an object"),
        (answer({"ok": True}), "no well-formed id"),
        (answer(GOOD | {"id": 7}), "no well-formed id"),
        (answer(GOOD | {"id": "../../etc"}), "no well-formed id"),
        (answer(GOOD | {"id": f"{ID}\nX=1"}), "no well-formed id"),
        (answer(GOOD | {"status": "GONE"}), "status is none of"),
        (answer(GOOD | {"status": {}}), "status is none of"),
        (answer(GOOD | {"connection_string": None}), "no connection string"),
        (answer(GOOD | {"connection_string": 5}), "connection string is not a string"),
        (answer(GOOD | {"connection_string": [URL]}), "connection string is not a string"),
        (answer(GOOD | {"claim_url": 5}), "claim link is not a string"),
        (answer(GOOD | {"expires_at": 1234}), "expiry is not a string"),
        (answer(GOOD | {"expires_at": "tomorrow"}), "expiry is not a valid date"),
        (answer(GOOD | {"expires_at": "0001-01-01T00:00:00+14:00"}), "expiry is not a valid date"),
    ],
)
def test_an_answer_of_another_form_is_not_used(script: Script, words: str) -> None:
    assert words in failure(script).message


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}\nPATH=/tmp/evil",
        f"{URL}\r\nX=1",
        f"{URL}\x00",
        f"{URL}\u2028X=1",
        f"{URL} #",
        f"{URL}#fragment",
        f"{URL}&a=$(touch /tmp/x)",
        f"{URL}&a=${{HOME}}",
        f"{URL}&a=`id`",
        f"{URL}&a='b",
        f'{URL}&a="b',
        f"{URL}&a=b\\",
        f"{URL};id",
        f"{URL}&a=<b>",
        f"{URL}&a=%0aX=1",
        f"{URL}&a=%",
        f"{URL}&a=é",
        f"{URL}&{'a' * 3000}",
        "",
        "postgresql://",
        "postgresql:///neondb",
        "postgresql://host/neondb",
        "postgresql://user@/neondb",
        "postgresql://user@host:99999/neondb",
        "postgresql://user@host:0/neondb",
        "postgresql://user@[::1/neondb",
        "mysql://user@host/neondb",
        "http://user@host/",
        "file:///etc/passwd",
        "host=evil user=me dbname=x",
        "--help",
        "postgresql://user@host/db?host=/var/run/postgresql",
        "postgresql://user@host/db?hostaddr=10.0.0.1",
        "postgresql://user@host/db?sslkeylogfile=/home/me/.bashrc",
        "postgresql://user@host/db?passfile=/home/me/.pgpass",
        "postgresql://user@host/db?SSLKEY=/home/me/key",
        "postgresql://user@host/db?sslrootcert=/home/me/ca",
        "postgresql://user@host/db?service=other",
        "postgresql://user@host/db?%68ost=evil",
    ],
)
def test_a_hostile_connection_string_is_neither_used_nor_shown(url: str) -> None:
    error = failure(answer(GOOD | {"connection_string": url}))
    assert "its connection string" in error.message
    assert "evil" not in error.message
    assert "/home/me" not in error.message


def test_parameters_that_neon_may_send_are_kept() -> None:
    url = f"{URL}&sslrootcert=system&sslnegotiation=direct&connect_timeout=10&options=-c%20a%3Db"
    with wire(answer(GOOD | {"connection_string": url})) as service:
        assert provision(a_provider(service.api), SPEC).url == url


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "file:///etc/passwd", "//neon.new/x", "", "https://", "https://a/b c",
     "https://a/\nX=1", "https://a/$(id)", "ssh://a/b"],
)  # fmt: skip
def test_a_claim_link_that_no_browser_should_open_is_refused(link: str) -> None:
    assert "its claim link" in failure(answer(GOOD | {"claim_url": link})).message


def test_a_huge_body_is_not_read() -> None:
    said = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    for head in (said + b"content-length: 10485760\r\n\r\n", said + b"connection: close\r\n\r\n"):
        sent: list[int] = []
        error = failure(flood(head, sent))
        assert "larger than 1 MB" in error.message
        time.sleep(0.05)
        assert sum(sent) < 9 * 2**20  # what the kernel buffered, not all of it
        assert len(sent) == 1


def test_a_redirect_to_another_host_is_refused() -> None:
    with wire(answer(GOOD)) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            error = failure(answer("", status, location=f"{elsewhere.url}/x?token=sesame"))
            assert "another host" in error.message
            assert "sesame" not in str(error)
            assert error.status == status
    assert elsewhere.asked == []


@pytest.mark.parametrize("location", ["", "/", "http://[", "https://user:pw@neon.new/", "\x1b[2J"])
def test_a_redirect_without_end_or_target_is_an_error(location: str) -> None:
    error = failure(answer("", 307, location=location))
    assert any(word in error.message for word in ("redirect", "another host", "malformed"))
    assert "pw" not in str(error)
    assert "\x1b" not in str(error)


def test_a_redirect_within_the_service_is_followed() -> None:
    with wire(answer("", 308, location="/api/v2/database"), answer(GOOD)) as service:
        assert a_provider(service.api).provision(SPEC).id == ID
    assert service.asked[1] == "POST /api/v2/database HTTP/1.1"


def test_a_claimed_answer_is_never_taken_for_a_new_database() -> None:
    claimed = GOOD | {"status": "CLAIMED", "connection_string": None}
    with wire(answer(claimed)) as service, pytest.raises(DatabaseClaimed) as raised:
        provision(a_provider(service.api), SPEC)
    assert "claim/" not in str(raised.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_told_and_not_repeated(status: int) -> None:
    script = answer({"message": "Missing referrer", "hint": "Say who"}, status)
    with wire(script) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api), SPEC)
    assert f"status {status}: Missing referrer; Say who" in raised.value.message
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (answer(GOOD), State.READY),
        (answer(GOOD | {"status": "CLAIMING"}), State.READY),
        (answer(GOOD | {"status": "CLAIMED", "connection_string": None}), State.CLAIMED),
        (answer(GOOD | {"expires_at": "2020-01-01T00:00:00.000Z"}), State.EXPIRED),
        (answer({"message": "Database not found"}, 400), State.MISSING),
        (answer({"error": "Database not found"}, 404), State.MISSING),
    ],
)
def test_the_service_is_asked_how_a_database_is(said: Script, state: State) -> None:
    with wire(said) as service:
        provider = a_provider(service.api)
        found = provider.inspect(RECORDED)
    assert service.asked == [f"GET /api/v1/database/{ID} HTTP/1.1"]
    assert found.state is state
    assert found.database.url == URL
    if state is State.CLAIMED:
        assert "neonup adopt" in found.detail["next"]
        assert found.database.expires_at is None
    if state is State.READY:
        assert found.database.claim_url == GOOD["claim_url"]
        assert "100 MB" in found.detail["limits"]


def test_the_id_is_taken_from_the_claim_link_where_only_that_is_recorded() -> None:
    """neon-new's ``.env`` has no other; it writes /database/ where the service says /claim/."""
    known = Database(url=URL, provider="neon.new", claim_url=f"https://neon.new/database/{ID}")
    with wire(answer(GOOD)) as service:
        assert a_provider(service.api).inspect(known).database.id == ID
    assert service.asked == [f"GET /api/v1/database/{ID} HTTP/1.1"]
    with pytest.raises(ProviderError, match=r"which neon\.new database"):
        a_provider("http://127.0.0.1:9").inspect(Database(url=URL, provider="neon.new"))


def test_deleting_says_that_it_expires_by_itself() -> None:
    with pytest.raises(ProviderError, match="no way to delete a database") as raised:
        a_provider("http://127.0.0.1:9").delete(
            RECORDED.with_(expires_at=datetime(2099, 2, 1, tzinfo=UTC))
        )
    assert "01 February 2099" in str(raised.value)


@pytest.mark.parametrize(
    "url", ["neon.new", "ftp://neon.new", "http://", "http://u:sesame@h/", "http://h/?k=sesame",
            "http://h:99999/", "http://[", 5],
)  # fmt: skip
def test_a_base_url_that_is_none_is_said_without_it(url: Any) -> None:
    with pytest.raises(SettingsError) as raised:
        a_provider(url).provision(SPEC)
    assert "NEONUP_NEON_NEW_URL" in str(raised.value)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize("timeout", [0, -1, "soon", 1e9, "nan"])
def test_a_timeout_that_is_none_is_said(timeout: Any) -> None:
    with pytest.raises(SettingsError, match="timeout"):
        a_provider("http://127.0.0.1:9", timeout).provision(SPEC)


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with wire(answer(GOOD)) as service:
        assert provision(a_provider(service.api), SPEC).id == ID


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_certificate_that_nobody_knows_is_refused_at_once(tls: ssl.SSLContext) -> None:
    with wire(answer(GOOD), tls=tls) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api), SPEC)
    assert "certificate verify failed" in raised.value.message.lower()
    assert service.asked == []
    assert service.connections == 1


def test_a_certificate_authority_of_ones_own_is_taken_from_the_environment(
    tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    secure = GOOD | {"claim_url": f"https://neon.new/claim/{ID}"}
    with wire(answer(secure), tls=tls) as service:
        assert provision(a_provider(service.api), SPEC).id == ID
    plain = GOOD | {"claim_url": f"http://neon.new/claim/{ID}"}
    with wire(answer(plain), tls=tls) as service, pytest.raises(ServiceError, match="claim link"):
        provision(a_provider(service.api), SPEC)


@pytest.mark.parametrize("path", ["nowhere.pem", "empty.pem"])
def test_a_broken_certificate_file_is_an_error_and_no_traceback(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / path))
    with pytest.raises(ServiceError):
        provision(a_provider("https://127.0.0.1:9/api/v1"), SPEC)


def test_a_handshake_that_hangs_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/api/v1"
        begin = time.monotonic()
        with pytest.raises(ServiceError):
            provision(a_provider(url, 0.5), SPEC)
    assert time.monotonic() - begin < 6


def test_many_threads_may_ask_at_once() -> None:
    with wire(answer(GOOD)) as service:
        found: list[Database] = []
        threads = [
            threading.Thread(target=lambda: found.append(a_provider(service.api).provision(SPEC)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 8


def test_importing_the_provider_loads_no_http_client(project_python: Callable[[str], str]) -> None:
    loaded = project_python(
        "import neonup.providers.neon_new, sys; print('httpx' in sys.modules, 'ssl' in sys.modules)"
    )
    assert loaded.strip() == "False False"


@pytest.fixture
def project_python() -> Callable[[str], str]:
    """What a fresh Python process prints."""
    import subprocess
    import sys

    def run(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout

    return run


def test_public_names_are_enough_for_a_provider() -> None:
    assert issubclass(NeonNewProvider, neonup.Provider)
