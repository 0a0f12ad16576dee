"""axe-core, which npm installs, looks at a page that is open: what keeps somebody from using it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser import CHROMIUM, Browser
from tests.pages import show

AXE = Path(__file__).parent / "clients" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ((1200, False), (1200, True), (360, False), (360, True))
"""Widths in pixels, and whether the system's colours are dark."""

with_axe = pytest.mark.skipif(
    CHROMIUM is None or not AXE.exists(), reason="no browser, or npm has not installed axe-core"
)


def violations(browser: Browser) -> list[str]:
    """What axe-core finds in the page that is open, in each of `VIEWS`: the rule, and where.

    Args:
        browser: with the page.
    """
    # By Chromium's own protocol, which the page's content security policy does not stop.
    browser.page.evaluate(AXE.read_text("utf-8"))
    found = []
    for width, dark in VIEWS:
        show(browser, width=width, dark=dark)
        answer = browser.page.evaluate("() => axe.run({resultTypes: ['violations']})")
        view = f"{browser.page.url} at {width} px, {'dark' if dark else 'light'}"
        found += [f"{view}: {_told(rule)}" for rule in answer["violations"]]
    return found


def _told(rule: dict[str, Any]) -> str:
    where = "".join(f"\n  {node['html']}\n    {node['failureSummary']}" for node in rule["nodes"])
    return f"{rule['help']} ({rule['id']}){where}"
