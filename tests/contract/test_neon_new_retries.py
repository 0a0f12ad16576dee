"""neon.new's client and a service that is away, slow, busy or broken: what is tried again."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from neonup import ServiceError, State
from tests.contract.neon_new_client import (
    GOOD,
    ID,
    RECORDED,
    SPEC,
    a_provider,
    failure,
    provision,
)
from tests.contract.wire import Script, answer, drip, hang, raw, wire
from tests.waiting import wait_until


def test_a_refused_connection_names_the_local_provider() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    begin = time.monotonic()
    with pytest.raises(ServiceError) as raised:
        provision(a_provider(f"http://127.0.0.1:{port}/api/v1"), SPEC)
    assert time.monotonic() - begin < 20
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
    assert time.monotonic() - begin < 20
    assert "no complete answer within 0.5 s" in str(raised.value)
    wait_until(lambda: service.asked, "the request is read")  # the service may be slow, too
    assert len(service.asked) == 1


def test_a_connection_that_ends_early_is_not_asked_for_twice() -> None:
    for cut in (b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"):
        with wire(raw(cut)) as service, pytest.raises(ServiceError, match="cut off or malformed"):
            provision(a_provider(service.api), SPEC)
        assert len(service.asked) == 1


def test_reading_is_tried_three_times() -> None:
    good = answer(GOOD)
    with wire(raw(b""), hang(), good) as service:
        found = a_provider(service.api, 2).inspect(RECORDED)
    assert (found.state, len(service.asked)) == (State.READY, 3)
    with wire(raw(b"")) as service, pytest.raises(ServiceError, match=r"\(3 tries\)"):
        a_provider(service.api).inspect(RECORDED)
    assert len(service.asked) == 3


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_service_that_failed_once_is_asked_again(status: int) -> None:
    with wire(answer({"message": "hiccup"}, status), answer(GOOD)) as service:
        assert provision(a_provider(service.api), SPEC).id == ID
    assert 0.15 < service.times[1] - service.times[0] < 15


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
    then = (datetime.now(UTC) + timedelta(seconds=3)).replace(microsecond=0)
    wait = "1" if form == "seconds" else format_datetime(then, usegmt=True)
    with wire(answer({}, 429, retry_after=wait), answer(GOOD)) as service:
        assert provision(a_provider(service.api), SPEC).id == ID
    first, second = service.times
    assert second - first < 15
    if form == "seconds":
        assert second - first > 0.95
    else:
        ago = timedelta(seconds=time.monotonic() - second)
        assert datetime.now(UTC) - ago >= then - timedelta(seconds=0.05)


@pytest.mark.parametrize("wait", ["3600", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_service_that_asks_for_too_long_is_left_alone(wait: str) -> None:
    begin = time.monotonic()
    said = "too many requests from here; it asks to wait"
    with (
        wire(answer({}, 429, retry_after=wait)) as service,
        pytest.raises(ServiceError, match=said),
    ):
        provision(a_provider(service.api), SPEC)
    assert time.monotonic() - begin < 20
    assert len(service.asked) == 1


def test_a_failing_service_that_asks_for_too_long_is_quoted() -> None:
    """As a busy one: both errors come from the same builder."""
    error = failure(answer({"message": "down for repair"}, 503, retry_after="3600"))
    assert "status 503: down for repair; it asks to wait 3600 s" in error.message


@pytest.mark.parametrize("wait", ["", "soon", "-5", "1e3", "Fri, 99 Foo", "\u0661", "9" * 400])
def test_a_senseless_retry_after_does_no_harm(wait: str) -> None:
    error = failure(answer({}, 429, retry_after=wait))
    assert error.status == 429


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_told_and_not_repeated(status: int) -> None:
    script = answer({"message": "Missing referrer", "hint": "Say who"}, status)
    with wire(script) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api), SPEC)
    assert f"status {status}: Missing referrer; Say who" in raised.value.message
    assert len(service.asked) == 1
