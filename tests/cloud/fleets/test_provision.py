"""A project for each user, however often and by how many it is asked for."""

from __future__ import annotations

import psycopg
import pytest

from neonup_cloud import NeonClient
from neonup_cloud.fleets import Lifecycle, errors
from tests.cloud.fleets.fleets import FREE, PRO, Asked


def test_a_user_gets_a_project_with_everything_of_the_tier(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna@example.com", "free"))
    assert (made.user, made.tier, made.created) == ("anna@example.com", "free", True)
    assert made.lifecycle is Lifecycle.ACTIVE
    project = owner.projects.get(made.project_id)
    assert project.settings["quota"] == FREE.quota.as_dict()
    assert project.history_retention_seconds == 21_600
    [endpoint] = owner.endpoints.list(made.project_id)
    assert (endpoint.autoscaling_limit_min_cu, endpoint.autoscaling_limit_max_cu) == (0.25, 1)
    assert endpoint.suspend_timeout_seconds == 300


def test_asked_again_it_is_the_same_and_keeps_its_tier(fleet: Asked) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "pro"))
    again = fleet(lambda fleet: fleet.provision("anna", "free"))
    kept = fleet(lambda fleet: fleet.provision("anna", "free", project_id=made.project_id))
    assert again == kept
    assert (again.project_id, again.tier, again.created) == (made.project_id, "pro", False)
    assert len(fleet(lambda fleet: fleet.projects())) == 1


def test_the_url_leads_to_the_database(fleet: Asked) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    direct = fleet(lambda fleet: fleet.connection("anna", pooled=False))
    assert direct == fleet(
        lambda fleet: fleet.connection("anna", pooled=False, project_id=made.project_id)
    )
    with psycopg.connect(direct) as connection:
        row = connection.execute("SELECT current_user, current_database()").fetchone()
    assert row == ("neondb_owner", "neondb")


def test_another_tier(fleet: Asked, owner: NeonClient) -> None:
    made = fleet(lambda fleet: fleet.provision("anna", "free"))
    changed = fleet(lambda fleet: fleet.change_tier("anna", "pro"))
    assert (changed.before, changed.after, changed.applied) == ("free", "pro", True)
    assert (changed.project.project_id, changed.project.tier) == (made.project_id, "pro")
    assert not changed.project.label.changing
    assert fleet(lambda fleet: fleet.find("anna")).tier == "pro"
    project = owner.projects.get(made.project_id)
    assert project.settings["quota"] == PRO.quota.as_dict()
    assert project.history_retention_seconds == 604_800
    [endpoint] = owner.endpoints.list(made.project_id)
    assert (endpoint.autoscaling_limit_min_cu, endpoint.autoscaling_limit_max_cu) == (0.5, 4)
    assert endpoint.suspend_timeout_seconds == 600


def test_a_suspended_project_takes_no_connections(fleet: Asked) -> None:
    fleet(lambda fleet: fleet.provision("anna", "free"))
    url = fleet(lambda fleet: fleet.connection("anna", pooled=False))
    assert fleet(lambda fleet: fleet.suspend("anna")).lifecycle is Lifecycle.SUSPENDED
    with pytest.raises(errors.FleetError, match="suspended"):
        fleet(lambda fleet: fleet.connection("anna"))
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    assert fleet(lambda fleet: fleet.resume("anna")).lifecycle is Lifecycle.ACTIVE
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_who_has_no_project(fleet: Asked) -> None:
    assert fleet(lambda fleet: fleet.find("anna")) is None
    for ask in (
        lambda fleet: fleet.connection("anna"),
        lambda fleet: fleet.suspend("anna"),
        lambda fleet: fleet.change_tier("anna", "pro"),
    ):
        with pytest.raises(errors.NoProject, match="anna"):
            fleet(ask)


def test_a_kept_id_that_leads_nowhere(fleet: Asked, owner: NeonClient) -> None:
    anna = fleet(lambda fleet: fleet.provision("anna", "free"))
    with pytest.raises(errors.ProjectGone, match="not one of"):
        fleet(lambda fleet: fleet.provision("ben", "free", project_id=anna.project_id))
    owner.projects.delete(anna.project_id)
    with pytest.raises(errors.ProjectGone, match="does not exist"):
        fleet(lambda fleet: fleet.provision("anna", "free", project_id=anna.project_id))
    new = fleet(lambda fleet: fleet.provision("anna", "free"))
    assert new.created
    assert new.project_id != anna.project_id
