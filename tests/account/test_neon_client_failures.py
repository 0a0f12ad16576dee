"""A Neon that refuses, fails, hangs up or answers nonsense: each ends as one of our errors."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from neonup.errors import SettingsError
from neonup.neon import NeonClient, errors
from neonup.neon.answers import Operation, Role
from tests.account.drivers import Driver
from tests.contract.wire import Script, Wire, answer, hang, wire

PROJECT = {"project": {"id": "shop-1", "name": "shop"}}
CREATED = PROJECT | {"branch": {"id": "br-a-b-1", "project_id": "shop-1", "name": "main"}}


def refusal(status: int, code: str = "", *, wait: int | None = None) -> Script:
    body = {"request_id": "req-1", "code": code, "message": "said so"}
    return answer(body, status) if wait is None else answer(body, status, retry_after=str(wait))


def cut(connection: socket.socket) -> None:
    """The request was received, and nothing comes back."""


def get(driver: Driver, service: Wire, **options: Any) -> Any:
    with driver(f"{service.url}/api/v2", **options) as ask:
        return ask(lambda neon: neon.projects.get("shop-1"))


def create(driver: Driver, service: Wire, **options: Any) -> Any:
    with driver(f"{service.url}/api/v2", **options) as ask:
        return ask(lambda neon: neon.projects.create(name="shop"))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", errors.Invalid),
        (401, "", errors.Unauthorized),
        (403, "", errors.Forbidden),
        (404, "", errors.NotFound),
        (409, "", errors.Conflict),
        (422, "", errors.Invalid),
        (422, "BRANCHES_LIMIT_EXCEEDED", errors.QuotaExceeded),
        (422, "DATA_TRANSFER_QUOTA_EXCEEDED", errors.QuotaExceeded),
    ],
)
def test_a_refusal_is_an_error_by_its_meaning(
    driver: Driver, status: int, code: str, kind: type[errors.NeonError]
) -> None:
    with wire(refusal(status, code)) as service, pytest.raises(errors.NeonError) as raised:
        create(driver, service)
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.request_id) == (status, "req-1")
    assert raised.value.api_code == (code or None)
    assert "said so" in str(raised.value)
    assert service.connections == 1


@pytest.mark.parametrize("first", [refusal(423), refusal(429, wait=1)])
def test_not_now_is_asked_again_even_to_create(driver: Driver, first: Script) -> None:
    with wire(first, first, answer(CREATED, 201)) as service:
        assert create(driver, service).project.id == "shop-1"
    assert service.connections == 3


def test_retry_after_is_waited_for(driver: Driver) -> None:
    with wire(refusal(429, wait=2), answer(PROJECT)) as service:
        get(driver, service)
    assert service.times[1] - service.times[0] >= 2


def test_a_wait_that_is_too_long_is_told_instead(driver: Driver) -> None:
    with wire(refusal(429, wait=3600)) as service, pytest.raises(errors.RateLimited) as e:
        get(driver, service)
    assert "it asks to wait 3600 s" in str(e.value)
    assert service.connections == 1


def test_a_lock_that_stays_is_told(driver: Driver) -> None:
    locked = wire(refusal(423, "PROJECT_HAS_RUNNING_OPERATIONS"))
    with locked as service, pytest.raises(errors.Locked, match=r"5 tries"):
        get(driver, service)
    assert service.connections == 5


@pytest.mark.parametrize("failure", [refusal(500), refusal(503), cut])
def test_a_question_is_asked_again(driver: Driver, failure: Script) -> None:
    with wire(failure, failure, answer(PROJECT)) as service:
        assert get(driver, service).name == "shop"
    assert service.connections == 3


@pytest.mark.parametrize("failure", [refusal(500), refusal(502), refusal(504), cut])
def test_no_second_project_is_created_where_an_answer_was_lost(
    driver: Driver, failure: Script
) -> None:
    with wire(failure, answer(CREATED, 201)) as service, pytest.raises(errors.AnswerLost) as e:
        create(driver, service)
    assert service.connections == 1
    assert e.value.remedy is not None
    assert "Look before you try again" in e.value.remedy


def test_an_answer_that_takes_too_long_is_lost(driver: Driver) -> None:
    with wire(hang()) as service, pytest.raises(errors.AnswerLost, match=r"within 0\.5 s"):
        create(driver, service, timeout=0.5)
    assert service.connections == 1


def test_nobody_there(driver: Driver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(errors.Unavailable, match="cannot be reached"):
        create(driver, Wire(url))


def test_deleted_by_a_try_whose_answer_was_lost(driver: Driver) -> None:
    with wire(cut, refusal(404)) as service, driver(f"{service.url}/api/v2") as ask:
        ask(lambda neon: neon.projects.delete("shop-1"))
    with (
        wire(refusal(404)) as service,
        driver(f"{service.url}/api/v2") as ask,
        pytest.raises(errors.NotFound),
    ):
        ask(lambda neon: neon.projects.delete("shop-1"))


def test_new_fields_are_passed_over(driver: Driver) -> None:
    body = {"project": PROJECT["project"] | {"new": {"deep": [1]}}, "another": None}
    with wire(answer(body)) as service:
        assert get(driver, service).id == "shop-1"


@pytest.mark.parametrize(
    "script",
    [
        answer({"project": {"id": 5, "name": "shop"}}),
        answer({"project": {"id": "shop-1", "name": "shop", "created_at": "yesterday"}}),
        answer({"project": None}),
        answer("<html>Sign in</html>", kind="text/html"),
        answer("[" * 100_000),
        answer(b"\xff\xfe"),
        answer(""),
    ],
    ids=["type", "date", "null", "page", "deep", "bytes", "empty"],
)
def test_an_answer_of_another_form_is_told(driver: Driver, script: Script) -> None:
    with wire(script) as service, pytest.raises(errors.UnusableAnswer) as raised:
        get(driver, service)
    assert "the answer cannot be used" in str(raised.value)
    assert service.connections == 1


def test_a_list_whose_cursor_stands_still_ends(driver: Driver) -> None:
    page = {"projects": [PROJECT["project"]], "pagination": {"cursor": "same"}}
    with wire(answer(page)) as service, driver(f"{service.url}/api/v2") as ask:
        assert len(ask(lambda neon: neon.projects.list())) == 2
    assert service.connections == 2


def test_operations_are_waited_for(driver: Driver) -> None:
    def said(status: str, **more: str) -> dict[str, Any]:
        return {
            "id": "op-1",
            "project_id": "shop-1",
            "action": "start_compute",
            "status": status,
            **more,
        }

    running = Operation(id="op-1", project_id="shop-1", action="start_compute", status="running")
    looks = [
        answer({"operation": said(status)}) for status in ("scheduling", "running", "finished")
    ]
    with wire(*looks) as service, driver(f"{service.url}/api/v2") as ask:
        ask(lambda neon: neon.operations.wait([running]))
    assert service.connections == 3
    failed = answer({"operation": said("failed", error="no room")})
    for script, message in ((failed, "failed: no room"), (looks[1], r"not ended within 0\.5 s")):
        with (
            wire(script) as service,
            driver(f"{service.url}/api/v2") as ask,
            pytest.raises(errors.OperationFailed, match=f"start_compute .*{message}"),
        ):
            ask(lambda neon: neon.operations.wait([running], timeout=0.5))


def test_secrets_are_in_no_message_and_no_repr(driver: Driver) -> None:
    key = "napi_verysecret"
    with (
        wire(refusal(401)) as service,
        driver(f"{service.url}/api/v2", key) as ask,
        pytest.raises(errors.Unauthorized) as raised,
    ):
        ask(lambda neon: neon.projects.get("shop-1"))
    assert key not in f"{raised.value} {raised.value!r} {json.dumps(raised.value.as_dict())}"
    client = NeonClient(key, base_url="http://127.0.0.1:1/api/v2")
    assert key not in f"{client!r} {vars(client)!r}"
    assert "hidden" not in repr(Role(name="app", password="hidden"))


@pytest.mark.parametrize("base", ["ftp://x", "https://", "https://u:p@host/api/v2", "http://h:0/"])
def test_an_unusable_base_url_is_told(base: str) -> None:
    with pytest.raises(SettingsError, match="base URL"):
        NeonClient("k", base_url=base)


def test_a_missing_key_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEON_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="No key"):
        NeonClient(base_url="http://127.0.0.1:1/api/v2")
    monkeypatch.setenv("NEON_API_KEY", "two words")
    with pytest.raises(SettingsError, match="characters"):
        NeonClient(base_url="http://127.0.0.1:1/api/v2")
