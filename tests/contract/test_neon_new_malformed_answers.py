"""neon.new's client and answers that are malformed, hostile, too large or lead elsewhere."""

from __future__ import annotations

import pytest

from tests.contract.neon_new_client import (
    GOOD,
    ID,
    SPEC,
    URL,
    a_provider,
    failure,
    provision,
)
from tests.contract.wire import Script, answer, flood, wire
from tests.waiting import wait_until


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
        wait_until(sent.copy, "the first bytes are counted")
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
