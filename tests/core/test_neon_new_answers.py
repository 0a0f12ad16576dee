"""Whatever a service answers: neon.new's calls end with a safe answer, or with an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neonup import ServiceError
from neonup.http.calls import Call, Failure, Pause, Response
from neonup.http.retry import retry_after
from neonup.providers import neon_new_api as api

BASE = "https://neon.new/api/v1"
ID = "01a20710-a3dc-7252-8e55-3de080787888"
URL = "postgresql://u:npg_x@ep-a-1-pooler.us-east-2.aws.neon.tech/neondb?sslmode=require"
FIELDS = ("id", "status", "connection_string", "claim_url", "expires_at", "message", "error")
DEEP = b"[" * 100_000

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PIECES = (
    *(
        URL,
        "postgres://u@h",
        "https://",
        "javascript:",
        "?",
        "&",
        "host=",
        "%68ost=x",
        "@",
        ":",
        "/",
    ),
    *("#", "\n", "%0a", "$(x)", "'", '"', "`", " ", "\\", "[", "]", "é", "\x00"),
)
URLS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
GOOD = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just(ID) | VALUES,
        "status": st.sampled_from(["UNCLAIMED", "CLAIMING", "CLAIMED"]) | VALUES,
        "connection_string": st.just(URL) | URLS | VALUES,
        "claim_url": st.just(f"https://neon.new/claim/{ID}") | URLS | VALUES,
        "expires_at": st.datetimes().map(str) | VALUES,
        "message": VALUES,
        "error": VALUES,
    },
)
BODIES = st.binary() | VALUES.map(json.dumps).map(str.encode) | GOOD.map(json.dumps).map(str.encode)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "location": URLS | st.text(),
        "retry-after": st.text() | st.integers(-9, 99).map(str),
        "content-type": st.text(),
    },
)
STATUSES = st.sampled_from([200, 201, 204, 301, 307, 308, 400, 404, 418, 429, 500, 504, 999])
REPLIES = st.builds(Response, STATUSES, HEADERS, BODIES) | st.builds(
    Failure, st.text(), sent=st.booleans(), final=st.booleans()
)


def outcome(call: Call[Any], replies: list[Response | Failure]) -> Any:
    """What a call comes to that is given these replies one after the other, the last for ever."""
    given_next = iter(replies)
    last: Response | Failure = replies[-1]
    step = next(call)
    for _ in range(50):
        try:
            if isinstance(step, Pause):
                assert 0 < step.seconds <= 20
                step = call.send(None)
            else:
                assert urlsplit(step.url).netloc == "neon.new"
                step = call.send(next(given_next, last))
        except StopIteration as stop:
            return stop.value
    raise AssertionError("the call does not end")


CALLS: dict[str, Callable[[], Call[Any]]] = {
    "create": lambda: api.create(BASE, ref="tests", logical_replication=False),
    "read": lambda: api.read(BASE, ID),
}


@pytest.mark.parametrize("name", CALLS)
@given(replies=st.lists(REPLIES, min_size=1, max_size=5))
@example(replies=[Response(200, {}, DEEP)])
@example(replies=[Response(500, {}, DEEP)])
@example(replies=[Response(404, {}, DEEP)])
@example(replies=[Response(200, {}, b'{"id": ' + b"9" * 9000 + b"}")])
def test_any_answer_is_safe_or_an_error(name: str, replies: list[Response | Failure]) -> None:
    try:
        found = outcome(CALLS[name](), replies)
    except ServiceError as error:
        assert "npg_x" not in str(error)
        assert len(str(error)) < 3000
        return
    if found is None:
        assert name == "read"
        return
    assert re.fullmatch(r"[\w-]+", found.id, re.ASCII)
    for url in (found.connection_string, found.claim_url):
        assert url is None or re.fullmatch(r"[\w.~:/?@&+,=\[\]%-]+", url, re.ASCII)
    if found.connection_string is not None:
        assert urlsplit(found.connection_string).hostname
        assert "host=" not in found.connection_string.replace("%68", "h")
    assert found.expires_at is None or found.expires_at.tzinfo is not None


@given(st.text())
@example("Fri, 01 Jan 99999 00:00:00 GMT")
@example("Fri, 01 Jan 2100 00:00:00 +999999")
def test_any_retry_after_is_a_number_of_seconds(value: str) -> None:
    assert retry_after(value) >= 0
