"""Operations made of others: a group without a sender gives calls."""

from __future__ import annotations

import pytest

from neonup.http.calls import Call
from neonup_cloud.api.client import Groups
from neonup_cloud.api.groups.group import ApiGroup, S, operation
from tests.cloud import both
from tests.emulator.serving import NeonServer


class Branched(ApiGroup[S]):
    @operation
    def names(self, project_id: str) -> Call[list[str]]:
        """The branches' names, after one was made."""
        neon = Groups(self.api, None)
        made = yield from neon.branches.create(project_id, name="second", endpoints=())
        yield from neon.operations.wait(made.operations)
        listed = yield from neon.branches.list(project_id)
        return sorted(one.name for one in listed)


@pytest.mark.parametrize("driver", both.DRIVERS)
def test_an_operation_of_others_is_called_both_ways(
    driver: str, neon_server_here: NeonServer
) -> None:
    server = neon_server_here
    with both.client(driver, server.base, server.key) as neon:
        project = neon(lambda neon: neon.projects.create()).project
        found = neon(lambda neon: Branched(neon.api, neon.sender).names(project.id))
    assert found == ["main", "second"]
