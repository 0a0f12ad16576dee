"""A service that fails, refuses, cuts connections or answers nonsense: with both drivers it ends in
what was asked for or a clear error, and nothing is created twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from neonup.http import retry
from neonup_cloud.api import errors
from neonup_cloud.api.answers import Operation
from tests.cloud.both import DRIVERS, Both, client
from tests.cloud.hostile import CUT, Hostile, Reply, hostile, refusal

KEY = "napi_very_secret_key"
PASSWORD = "npg_very_secret_password"
PROJECT = {"id": "late-frost-12345678", "name": "shop"}
BRANCH = {"id": "br-cool-frost-12345678", "project_id": PROJECT["id"], "name": "main"}
CREATED = {
    "project": PROJECT,
    "branch": BRANCH,
    "roles": [{"name": "owner", "password": PASSWORD}],
    "connection_uris": [{"connection_uri": f"postgresql://owner:{PASSWORD}@host/db"}],
    "operations": [],
}
GET = Reply(200, {"project": PROJECT})
POST = Reply(201, CREATED)

Meet = Callable[..., AbstractContextManager[tuple[Both, Hostile]]]


@pytest.fixture(params=DRIVERS)
def meet(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Meet:
    """A client whose server answers so."""
    monkeypatch.setattr(retry, "BACK_OFF", 0.01)

    @contextmanager
    def run(*answers: Any, **options: Any) -> Iterator[tuple[Both, Hostile]]:
        with (
            hostile(*answers) as server,
            client(request.param, server.base, KEY, **options) as neon,
        ):
            yield neon, server
            assert set(server.keys) <= {f"Bearer {KEY}"}

    return run


def get(neon: Both) -> Any:
    return neon(lambda neon: neon.projects.get("p"))


def create(neon: Both) -> Any:
    return neon(lambda neon: neon.projects.create(name="shop"))


def delete(neon: Both) -> Any:
    return neon(lambda neon: neon.branches.delete("p", "br-1"))


def failure(kind: type[errors.NeonError], ask: Callable[[], object]) -> errors.NeonError:
    """The error, in which there is no secret."""
    with pytest.raises(kind) as caught:
        ask()
    error = caught.value
    assert type(error) is kind
    for shown in (str(error), repr(error), repr(error.as_dict()), repr(error.__cause__)):
        assert KEY not in shown
        assert PASSWORD not in shown
    return error


@pytest.mark.parametrize("refused", [423, 429])
@pytest.mark.parametrize(("ask", "answer"), [(get, GET), (create, POST)])
def test_not_now_is_asked_again(meet: Meet, refused: int, ask: Any, answer: Reply) -> None:
    with meet(refusal(refused), refusal(refused), answer) as (neon, server):
        assert ask(neon)
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(423, errors.Locked), (429, errors.RateLimited)], ids=str
)
@pytest.mark.parametrize("ask", [get, create])
def test_not_now_for_ever_ends(
    meet: Meet, status: int, kind: type[errors.NeonError], ask: Any
) -> None:
    with meet(refusal(status)) as (neon, server):
        error = failure(kind, lambda: ask(neon))
        assert len(server.asked) == 5
    assert error.request_id == f"request-{status}"
    assert "5 tries" in error.message


@pytest.mark.parametrize("ask", [get, create])
def test_a_wanted_pause_is_kept(meet: Meet, ask: Any) -> None:
    answer = GET if ask is get else POST
    with meet(refusal(429, retry_after="1"), answer) as (neon, server):
        assert ask(neon)
        assert 1 <= server.times[1] - server.times[0] < 3


def test_a_pause_until_a_date(meet: Meet) -> None:
    when = format_datetime(datetime.now(UTC), usegmt=True)
    with meet(refusal(429, retry_after=when), GET) as (neon, server):
        assert get(neon)
        assert len(server.asked) == 2


def test_too_long_a_pause_is_told_instead(meet: Meet) -> None:
    with meet(refusal(429, retry_after="3600")) as (neon, server):
        error = failure(errors.RateLimited, lambda: get(neon))
        assert len(server.asked) == 1
    assert "3600 s" in error.message


@pytest.mark.parametrize("broken", [refusal(500), refusal(502), Reply(503, "<html>"), CUT])
def test_a_question_is_asked_again_where_an_answer_fails(meet: Meet, broken: Any) -> None:
    with meet(broken, broken, GET) as (neon, server):
        assert get(neon).name == "shop"
        assert len(server.asked) == 3


@pytest.mark.parametrize("broken", [refusal(500), refusal(504), Reply(503, "<html>"), CUT])
def test_what_may_have_been_created_is_not_created_again(meet: Meet, broken: Any) -> None:
    with meet(broken, POST) as (neon, server):
        error = failure(errors.AnswerLost, lambda: create(neon))
        assert len(server.asked) == 1
    assert "Look before you try again" in str(error)
    if broken == refusal(500):
        assert (error.status, error.request_id) == (500, "request-500")


def test_a_service_that_stays_broken(meet: Meet) -> None:
    with meet(refusal(500, "out of order")) as (neon, server):
        error = failure(errors.Unavailable, lambda: get(neon))
        assert len(server.asked) == 5
    assert "out of order" in error.message
    assert error.request_id == "request-500"


def test_nobody_is_there(meet: Meet) -> None:
    with meet(GET) as (neon, server):
        get(neon)
    with client(neon.driver, server.base, KEY) as alone:
        failure(errors.Unavailable, lambda: create(alone))


def test_an_answer_that_never_ends_in_time(meet: Meet) -> None:
    with meet(Reply(201, CREATED, slow=0.2), timeout=2) as (neon, server):
        error = failure(errors.AnswerLost, lambda: create(neon))
        assert len(server.asked) == 1
    assert "2 s" in error.message


@pytest.mark.parametrize("lost", [CUT, refusal(500)])
def test_a_repeated_deletion_that_finds_nothing_has_succeeded(meet: Meet, lost: Any) -> None:
    with meet(lost, refusal(404)) as (neon, server):
        assert delete(neon).operations == []
        assert len(server.asked) == 2


@pytest.mark.parametrize("before", [[], [refusal(423)], [refusal(429)]])
def test_deleting_what_never_was_fails(meet: Meet, before: list[Reply]) -> None:
    with meet(*before, refusal(404)) as (neon, server):
        failure(errors.NotFound, lambda: delete(neon))
        assert len(server.asked) == 1 + len(before)


@pytest.mark.parametrize(
    "ask",
    [
        lambda neon: neon.projects.delete("p"),
        lambda neon: neon.endpoints.delete("p", "e"),
        lambda neon: neon.roles.delete("p", "b", "r"),
        lambda neon: neon.databases.delete("p", "b", "d"),
        lambda neon: neon.snapshots.delete("p", "s"),
    ],
)
def test_every_deletion_is_so(meet: Meet, ask: Any) -> None:
    with meet(CUT, refusal(404)) as (neon, _):
        neon(ask)
    with meet(Reply(204)) as (neon, _):
        neon(ask)


@pytest.mark.parametrize(
    "body",
    [
        {"project": {**PROJECT, "name": 7}},
        {"project": [PROJECT]},
        {"project": {"name": "shop"}},
        {},
        [],
        "<html>You are offline</html>",
        "[" * 100_000,
    ],
    ids=["type", "list", "missing", "empty", "array", "page", "deep"],
)
def test_an_answer_of_another_form(meet: Meet, body: Any) -> None:
    with meet(Reply(200, body)) as (neon, server):
        error = failure(errors.UnusableAnswer, lambda: get(neon))
        assert len(server.asked) == 1
    assert "cannot be used" in error.message


def test_a_creation_whose_answer_has_another_form_is_not_lost(meet: Meet) -> None:
    with meet(Reply(201, CREATED | {"branch": PASSWORD})) as (neon, server):
        error = failure(errors.UnusableAnswer, lambda: create(neon))
        assert len(server.asked) == 1
    assert "probably carried out" in str(error)


def test_new_fields_are_passed_over(meet: Meet) -> None:
    new = {"colour": {"red": [1]}, "project": {**PROJECT, "shape": None}}
    with meet(Reply(200, new)) as (neon, _):
        assert get(neon).name == "shop"


def test_redirects_lead_nowhere(meet: Meet) -> None:
    there = {"location": "http://127.0.0.1:1/api/v2"}
    with meet(Reply(302, "", there)) as (neon, server):
        failure(errors.UnusableAnswer, lambda: get(neon))
        failure(errors.UnusableAnswer, lambda: create(neon))
        assert len(server.asked) == 2


def test_an_answer_that_is_too_large(meet: Meet) -> None:
    with meet(Reply(200, "x", {"content-length": "99000000"})) as (neon, server):
        error = failure(errors.Unavailable, lambda: get(neon))
        assert len(server.asked) == 1
    assert "64 MB" in error.message


def projects(neon: Both) -> Any:
    return neon(lambda neon: neon.projects.list(page=1))


def page(cursor: str, *items: Any, **more: Any) -> Reply:
    return Reply(200, {"projects": list(items), "pagination": {"cursor": cursor}, **more})


def test_pages_end(meet: Meet) -> None:
    two = {**PROJECT, "id": "two"}
    with meet(page("1", PROJECT), page("2", two), page("2")) as (neon, server):
        assert [one.id for one in projects(neon)] == [PROJECT["id"], "two"]
        assert [one.rpartition("cursor=")[2] for one in server.asked[1:]] == ["1", "2"]
    with meet(page("1", PROJECT), page("1", two)) as (neon, server):
        assert len(projects(neon)) == 2


def test_a_page_that_is_not_full_is_the_last(meet: Meet) -> None:
    with meet(page("1", PROJECT)) as (neon, server):
        assert len(neon(lambda neon: neon.projects.list(page=2))) == 1
        assert len(server.asked) == 1


def test_pages_that_lead_round_in_circles(meet: Meet) -> None:
    pages = [page(str(number % 3), PROJECT) for number in range(9)]
    with meet(*pages) as (neon, server):
        failure(errors.UnusableAnswer, lambda: projects(neon))
        assert len(server.asked) == 4


def test_a_list_without_some_projects_is_none(meet: Meet) -> None:
    with meet(page("1", PROJECT, unavailable_project_ids=["slow"])) as (neon, _):
        assert "slow" in str(failure(errors.Unavailable, lambda: projects(neon)))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", errors.Invalid),
        (401, "", errors.Unauthorized),
        (402, "", errors.QuotaExceeded),
        (403, "", errors.Forbidden),
        (404, "", errors.NotFound),
        (406, "", errors.Invalid),
        (409, "", errors.Conflict),
        (412, "", errors.Invalid),
        (422, "BRANCHES_LIMIT_EXCEEDED", errors.QuotaExceeded),
    ],
)
def test_refusals_by_meaning(
    meet: Meet, status: int, code: str, kind: type[errors.NeonError]
) -> None:
    with meet(refusal(status, f"what\x1b[31m{'x' * 5000}", code)) as (neon, server):
        error = failure(kind, lambda: create(neon))
        assert len(server.asked) == 1
    assert (error.status, error.request_id) == (status, f"request-{status}")
    assert (error.api_code or "") == code
    assert "\x1b" not in str(error)
    assert len(str(error)) < 1000


def operation(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "op-1", "project_id": "p", "action": "start_compute", "status": status, **more}


def wait(neon: Both, **options: Any) -> None:
    begun = Operation(id="op-1", project_id="p", action="start_compute", status="running")
    neon(lambda neon: neon.operations.wait([begun], **options))


def test_waiting_for_an_operation(meet: Meet) -> None:
    running, done = Reply(200, {"operation": operation("running")}), operation("finished")
    with meet(running, refusal(500), CUT, running, Reply(200, {"operation": done})) as (
        neon,
        server,
    ):
        wait(neon)
        assert len(server.asked) == 5


def test_an_operation_that_fails(meet: Meet) -> None:
    failed = operation("failed", error="no room")
    with meet(Reply(200, {"operation": failed})) as (neon, _):
        error = failure(errors.OperationFailed, lambda: wait(neon))
    assert "no room" in error.message
    assert "op-1" in str(error)


def test_an_operation_that_never_ends(meet: Meet) -> None:
    with meet(Reply(200, {"operation": operation("running")})) as (neon, _):
        error = failure(errors.OperationFailed, lambda: wait(neon, timeout=0.6))
    assert "0.6 s" in error.message


def test_no_secret_is_shown(meet: Meet, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with meet(POST) as (neon, _):
        created = create(neon)
        assert created.roles[0].password == PASSWORD
        shown = [repr(created), str(created), repr(neon.client), f"{vars(neon.client)}"]
    assert all(KEY not in one and PASSWORD not in one for one in [*shown, caplog.text])
