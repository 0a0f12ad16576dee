"""A real Chromium, driven through chromedriver's own HTTP interface.

The interface is a handful of JSON calls (https://www.w3.org/TR/webdriver2). The usual library for
it, selenium, brings trio, and where trio is installed every import of httpx loads it as well: 70 ms
that would be in all of the measurements of this project.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")

_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A window with one page in it."""

    def __init__(self, client: httpx.Client):
        self._client = client

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._client.request(method, path, json=body)
        value = answer.json()["value"]
        assert answer.status_code == 200, value
        return value

    def open(self, url: str) -> None:
        self._call("POST", "url", {"url": url})

    def run(self, script: str) -> Any:
        """What a script returns that runs in the page."""
        return self._call("POST", "execute/sync", {"script": script, "args": []})

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self._call("POST", "goog/cdp/execute", {"cmd": name, "params": parameters})

    def complaints(self) -> list[str]:
        """What the browser's console says since the last time."""
        return [entry["message"] for entry in self._call("POST", "se/log", {"type": "browser"})]

    @property
    def title(self) -> str:
        title: str = self._call("GET", "title")
        return title

    @property
    def source(self) -> str:
        source: str = self._call("GET", "source")
        return source

    def count(self, selector: str) -> int:
        return len(self._find(selector))

    def text(self, selector: str) -> str:
        """The text of the one element that the selector finds, as it is seen."""
        (element,) = self._find(selector)
        text: str = self._call("GET", f"element/{element}/text")
        return text

    def label(self, selector: str) -> str:
        """What a screen reader calls the one element that the selector finds."""
        (element,) = self._find(selector)
        label: str = self._call("GET", f"element/{element}/computedlabel")
        return label

    def press(self, selector: str) -> None:
        """Press a button, and wait for the page that comes after."""
        (element,) = self._find(selector)
        self._call("POST", f"element/{element}/click", {})
        deadline = time.monotonic() + 10
        while self._client.get(f"element/{element}/enabled").status_code == 200:
            assert time.monotonic() < deadline, "no new page came"
            time.sleep(0.02)

    def _find(self, selector: str) -> list[str]:
        found = self._call("POST", "elements", {"using": "css selector", "value": selector})
        return [element[_ELEMENT] for element in found]


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile; it is gone at the end of the block."""
    flags = [*_FLAGS, f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    wanted = {
        "goog:chromeOptions": {"binary": CHROMIUM, "args": flags},
        "goog:loggingPrefs": {"browser": "ALL"},
    }
    # Killed, they would leave their own temporary files behind.
    with TemporaryDirectory(prefix="browser-") as temporary, _driver(temporary) as (driver, port):
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                answer = client.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
                session = answer.json()["value"]
                assert answer.status_code == 200, session
                client.base_url = f"{client.base_url}/session/{session['sessionId']}"
                yield Browser(client)
        finally:
            # The driver with its browser, which the driver alone would leave behind.
            os.killpg(driver.pid, signal.SIGKILL)


@contextmanager
def _driver(temporary: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A running chromedriver, and its port: free for IPv4, though not always for IPv6 as well."""
    assert DRIVER
    for _ in range(5):
        with subprocess.Popen(
            [DRIVER, "--port=0"],
            env={**os.environ, "TMPDIR": temporary},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as driver:
            if (port := _port(driver)) is not None:
                yield driver, port
                return
    raise AssertionError("chromedriver did not start")


def _port(driver: subprocess.Popen[str]) -> int | None:
    """The port that it says it has; None where it ends without one."""
    assert driver.stdout
    for line in driver.stdout:
        if found := re.search(r"started successfully on port (\d+)", line):
            return int(found[1])
    return None
