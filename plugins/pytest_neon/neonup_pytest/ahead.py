"""Starts the run's server in the background while tests are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from neonup_pytest.servers.background import BackgroundStart

if TYPE_CHECKING:
    from neonup_pytest.state import RunState

_MAY_LEAVE_NONE = (
    *("collectonly", "setupplan", "showfixtures", "show_fixtures_per_test"),
    *("keyword", "markexpr", "deselect", "lf", "stepwise"),
)
"""Options of pytest's with which a run has collected tests and may run none of them."""


class ServerAhead:
    """Starts the server with the first test that is collected, if that is sure to run.

    Otherwise, and where it could not be started, the first test that is set up starts it.

    Args:
        state: what the plugin holds for the run.
    """

    def __init__(self, state: RunState):
        self._state = state

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Begin at the first one; a process of pytest-xdist that runs none collects none."""
        item.config.pluginmanager.unregister(self)
        if self._state.serves:
            self._state.starting = BackgroundStart(self._state.worker.server.start)


def may_run_nothing(config: pytest.Config) -> bool:
    """Whether a run may collect tests and run none of them, as far as its options tell."""
    return any(getattr(config.option, name, None) for name in _MAY_LEAVE_NONE)
