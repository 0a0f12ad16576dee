"""What was consumed, as rows for bills."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from neonup.errors import SettingsError
from neonup.http.calls import Pause
from neonup.plugin.http import Sender
from neonup_cloud import NeonClient
from neonup_cloud.api.client import Groups
from neonup_cloud.fleets import ConsumptionRow, as_csv, consumption
from tests.cloud.fleets.fleets import Asked
from tests.emulator.serving import NeonServer


def span() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(hours=2), now + timedelta(hours=1)


def rows(fleet: Asked, **options: Any) -> list[ConsumptionRow]:
    found = fleet(lambda fleet: fleet.consumption(*span(), granularity="hourly", **options))
    assert isinstance(found, list)
    return found


def test_rows_name_the_user_and_the_tier(
    fleet: Asked, owner: NeonClient, neon_server_here: NeonServer
) -> None:
    other = owner.projects.create(name="no user's").project
    anna = fleet(lambda fleet: fleet.provision("anna", "pro"))
    with psycopg.connect(fleet(lambda fleet: fleet.connection("anna", pooled=False))):
        neon_server_here.neon.computes.observer.measure()
    found = rows(fleet)
    by_project = {one.project_id: one for one in found}
    assert other.id not in by_project
    assert (by_project[anna.project_id].user, by_project[anna.project_id].tier) == ("anna", "pro")
    assert by_project[anna.project_id].amounts["root_branch_bytes_month"] > 0
    assert all(one.start.tzinfo is UTC for one in found)
    table = list(csv.DictReader(io.StringIO(as_csv(found))))
    assert [one["user"] or None for one in table] == [one.user for one in found]
    assert float(table[0]["compute_unit_seconds"]) >= 0
    assert json.loads(json.dumps([one.as_dict() for one in found]))


def test_moments_of_other_time_zones_are_the_same_moments(fleet: Asked) -> None:
    fleet(lambda fleet: fleet.provision("anna", "free"))
    start, end = span()
    behind = timezone(-timedelta(hours=3))
    there = start.astimezone(ZoneInfo("Asia/Kathmandu")), end.astimezone(behind)
    spans = [
        [
            (one.user, one.start, one.end)
            for one in fleet(lambda fleet, at=at: fleet.consumption(*at, granularity="hourly"))
        ]
        for at in (there, (start, end))
    ]
    assert spans[0] == spans[1] != []
    with pytest.raises(SettingsError, match="time zone"):
        fleet(lambda fleet: fleet.consumption(start.replace(tzinfo=None), end))


def test_a_formula_in_a_users_key_is_none_in_a_spreadsheet() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    row = ConsumptionRow('=cmd|"x"', "p", "free", moment, moment, {"compute_unit_seconds": 1.5})
    [_, line] = csv.reader(io.StringIO(as_csv([row], ["compute_unit_seconds"])))
    assert line == ['\'=cmd|"x"', "p", "free", *[moment.isoformat()] * 2, "1.5"]


def test_thirty_requests_are_sent_at_once_and_then_each_waits(owner: NeonClient) -> None:
    """The call is run with its pauses left out."""
    neon = Groups(owner.api, None)
    asked, pauses = consumption.RequestCount(), []
    for _ in range(33):
        call = consumption.paced(neon.users.me(), asked)
        reply = None
        try:
            while True:
                step = call.send(reply)
                reply = None
                if isinstance(step, Pause):
                    pauses.append((asked.times, step.seconds))
                else:
                    assert isinstance(owner.sender, Sender)
                    reply = owner.sender.send(step)
        except StopIteration as stop:
            assert stop.value.email
    assert pauses == [(30, 2.0), (31, 2.0), (32, 2.0)]
