"""A real Chromium, the system's, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page, sync_playwright

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The first has no window that it never shows, which takes most of the time that a test takes."""
in_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no browser: apt-get install chromium-headless-shell"
)

_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Browser:
    """A window with one page in it.

    Args:
        page: Playwright's.
    """

    def __init__(self, page: Page):
        self.page = page
        self._protocol = page.context.new_cdp_session(page)
        self._complaints: list[str] = []
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._complaints.append(message.text)

    def open(self, url: str) -> None:
        self.page.goto(url)

    def run(self, script: str) -> Any:
        """What a script returns that runs in the page."""
        return self.page.evaluate(f"() => {{ {script} }}")

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self._protocol.send(name, parameters)

    def complaints(self) -> list[str]:
        """What the browser's console says since the last time."""
        complaints, self._complaints = self._complaints, []
        return complaints

    @property
    def title(self) -> str:
        return self.page.title()

    @property
    def source(self) -> str:
        return self.page.content()

    def count(self, selector: str) -> int:
        return self.page.locator(selector).count()

    def text(self, selector: str) -> str:
        """The text of the one element that the selector finds, as it is seen."""
        return self.page.locator(selector).inner_text()

    def label(self, selector: str) -> str:
        """What a screen reader calls the one element that the selector finds."""
        snapshot = self.page.locator(selector).aria_snapshot()
        return snapshot.partition('"')[2].partition('"')[0]

    def press(self, selector: str) -> None:
        """Press a button, and wait for the page that comes after."""
        try:
            with self.page.expect_navigation(timeout=60_000):
                self.page.locator(selector).click()
        except Error as error:  # a command line's server may end before it has answered
            if "net::ERR_EMPTY_RESPONSE" not in error.message:
                raise


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; it is gone at the end of the block."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=_FLAGS,
            chromium_sandbox=os.geteuid() != 0,
            viewport={"width": 1200, "height": 800},
        )
        try:
            yield Browser(context.pages[0])
        finally:
            context.close()
