"""Every operation of the client that changes something, at a service that fails: a connection that
times out, a 5xx, a lost answer. What may have been carried out is sent again only where twice does
no harm; every request is valid against Neon's document, or against its newest client's types.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pytest

from neonup.http import retry
from neonup_cloud import NeonClient
from neonup_cloud.api import errors
from neonup_cloud.api.client import Groups
from neonup_cloud.api.groups.group import ApiGroup, operation
from tests.cloud.both import DRIVERS, Both, client
from tests.cloud.hostile import CUT, Hostile, hostile, refusal
from tests.waiting import wait_until

KEY = "napi_very_secret_key"
TRIES = 5

VALUES: dict[str, Any] = {"str": "x-1", "int": 1, "Sequence[str]": ["x-1"], "ProjectRole": "viewer"}
"""What an operation is given, by the type of its parameter."""

MADE_OF_OTHERS = {
    "claims.accept", "claims.create", "claims.state", "operations.settle", "operations.wait",
}  # fmt: skip
"""They ask more than once, and test_claims.py and test_client_failures.py have their failures."""

HARMLESS_TWICE = {
    "branches.set_as_default",
    "endpoints.restart",
    "endpoints.start",
    "endpoints.suspend",
    "roles.reset_password",
}
"""The POSTs that are sent again."""

GOOD_ONCE = {"projects.accept_transfer"}
"""What is no POST and is not sent again: the second time it would be refused."""


def operations() -> dict[str, dict[str, Any]]:
    """All operations that are one request, with what they need."""
    found = {}
    with NeonClient(KEY, base_url="http://localhost:1/api/v2") as neon:
        groups: dict[str, ApiGroup[Any]] = {
            name: getattr(neon, name)
            for name, value in vars(Groups).items()
            if isinstance(value, cached_property)
        }
    for group, value in groups.items():
        for name, member in vars(type(value)).items():
            if not isinstance(member, operation) or f"{group}.{name}" in MADE_OF_OTHERS:
                continue
            define: Any = vars(member)["__wrapped__"]
            parameters = list(inspect.signature(define).parameters.values())[1:]
            found[f"{group}.{name}"] = {
                one.name: VALUES.get(str(one.annotation), "x-1")
                for one in parameters
                if one.default is one.empty
            }
    return found


OPERATIONS = operations()


def carry_out(neon: Both, name: str) -> errors.NeonError:
    """How an operation fails."""
    group, _, method = name.partition(".")
    with pytest.raises(errors.NeonError) as caught:
        neon(lambda api: getattr(getattr(api, group), method)(**OPERATIONS[name]))
    assert KEY not in str(caught.value), name
    return caught.value


def test_all_groups_are_met() -> None:
    assert len(OPERATIONS) > 30
    assert {"snapshots.create", "branches.restore", "projects.create"} <= OPERATIONS.keys()
    assert OPERATIONS.keys() >= HARMLESS_TWICE


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACK_OFF", 0.001)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("fault", [CUT, refusal(500)], ids=["cut", "500"])
def test_an_answer_is_lost(driver: str, fault: Any) -> None:
    with hostile(fault) as server, client(driver, server.base, KEY, org_id="org-1") as neon:
        for name in OPERATIONS:
            error, asked = carry_out(neon, name), took(server)
            assert len(set(asked)) == 1, name
            is_post = asked[0].startswith("POST")
            once = (is_post and name not in HARMLESS_TWICE) or name in GOOD_ONCE
            assert len(asked) == (1 if once else TRIES), name
            assert type(error) is (errors.AnswerLost if once else errors.Unavailable), name


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("driver", DRIVERS)
def test_what_was_not_begun_is_sent_again(driver: str) -> None:
    with hostile(refusal(423)) as server, client(driver, server.base, KEY, org_id="org-1") as neon:
        for name in OPERATIONS:
            assert type(carry_out(neon, name)) is errors.Locked, name
            assert len(took(server)) == TRIES, name


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("name", ["snapshots.create", "branches.delete"])
def test_a_connection_that_times_out_has_created_nothing(driver: str, name: str) -> None:
    with nobody_accepts() as base, client(driver, base, KEY, org_id="org-1", timeout=2) as neon:
        error = carry_out(neon, name)
        assert type(error) is errors.Unavailable
        assert "no connection within 1 s" in error.message


def took(server: Hostile) -> list[str]:
    """What the server was asked since the last time."""
    asked, server.asked = server.asked, []
    return asked


@contextmanager
def nobody_accepts() -> Iterator[str]:
    """An address at which no connection is made, for its queue is full, until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting: list[socket.socket] = []
        address = listener.getsockname()

        def full() -> bool:
            one = socket.socket()
            waiting.append(one)
            one.settimeout(0.3)
            try:
                one.connect(address)
            except TimeoutError:
                return True
            return False

        try:
            wait_until(full, "a connection that is not made")
            yield f"http://127.0.0.1:{address[1]}/api/v2"
        finally:
            for one in waiting:
                one.close()
