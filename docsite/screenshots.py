"""Takes the documentation's pictures of neonup's pages, light and dark: ``make screenshots``.

Everything is real: a ``neonup serve`` in an empty home, a project with branches in it, a FastAPI
application, a studio, and Chromium. Nothing of it stays but docs/images/*.webp.
"""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg

from docsite import studio_pictures
from docsite.navigation import ROOT
from docsite.programs import BIN, neonup, running
from neonup_cloud import NeonClient
from tests.browser import Browser, chromium
from tests.pages import show
from tests.waiting import wait_until

IMAGES = ROOT / "docs" / "images"
LARGEST = 150_000
"""Bytes that a picture may have."""
PAGES = {"branches": 780, "claim": 680, "fastapi": 740, **studio_pictures.HEIGHTS}
"""The pages, and how much of each is shown, in pixels from its top."""
LOOKS = ("light", "dark")

_WIDTH = 1000
_QUALITY = 80
_APPLICATION = """
from fastapi import FastAPI
from fastapi_neon import Neon

neon = Neon()
app = FastAPI(lifespan=neon.lifespan)
neon.install(app)
"""
_TABLES = """
CREATE TABLE customers AS SELECT n AS id, 'customer ' || n AS name FROM generate_series(1, 1200) n;
CREATE TABLE orders AS SELECT n AS id, n % 1200 AS customer FROM generate_series(1, 5000) n;
ANALYZE;
"""


def path(page: str, look: str) -> Path:
    """Where a picture is."""
    return IMAGES / f"{page}-{look}.webp"


def main() -> None:
    """Take all of them."""
    # The account that runs Postgres must be able to enter the folder, also where root starts it.
    with TemporaryDirectory(prefix="screenshots-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        folder.chmod(0o711)
        environ = {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": scratch,
            "NEONUP_HOME": str(folder / "home"),
        }
        neon = stack.enter_context(_serving(folder, environ))
        project = _fill(neon)
        own = dict(environ)
        environ |= {**neon, "NEONUP_ENV": "development"}
        page = stack.enter_context(_application(folder, environ))
        studio = stack.enter_context(studio_pictures.studio(folder / "lamp-shop", own))
        browser = stack.enter_context(chromium(folder / "profile"))
        browser.open(neon["NEONUP_CONSOLE_URL"])
        console = browser.run("return location.origin")
        addresses = {
            "branches": f"{console}/projects/{project}",
            "claim": json.loads(neonup(folder, environ, "claim", "--json"))["claim_url"],
            "fastapi": page,
        }
        for name, address in addresses.items():
            _take(browser, name, partial(browser.open, address))
        browser.open(studio)
        for name, open_page in studio_pictures.PAGES.items():
            _take(browser, name, partial(open_page, browser), width=studio_pictures.WIDTH)


def _take(
    browser: Browser, name: str, open_page: Callable[[], None], *, width: int = _WIDTH
) -> None:
    for look in LOOKS:
        show(browser, width=width, dark=look == "dark")
        open_page()
        taken = browser.command(
            "Page.captureScreenshot",
            format="webp",
            quality=_QUALITY,
            captureBeyondViewport=True,
            clip={"x": 0, "y": 0, "width": width, "height": PAGES[name], "scale": 1},
        )
        path(name, look).write_bytes(base64.b64decode(taken["data"]))
        print(f"{path(name, look).relative_to(ROOT)}  {path(name, look).stat().st_size} bytes")


@contextmanager
def _serving(folder: Path, environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """A local Neon; yields the variables that lead to it."""
    with running(["neonup", "serve", "--port", "0", "--json"], folder, environ) as server:
        assert server.stdout
        yield json.loads(server.stdout.readline())["env"]


@contextmanager
def _application(folder: Path, environ: dict[str, str]) -> Iterator[str]:
    """A FastAPI application whose database is on that Neon; yields its page's address."""
    (folder / "main.py").write_text(_APPLICATION, "utf-8")
    neonup(folder, environ)
    url = neonup(folder, environ, "url").strip()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLES)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with running(["uvicorn", "main:app", "--port", port], folder, environ):
        address = f"http://127.0.0.1:{port}/_neon"
        wait_until(lambda: _answers(address), "the application")
        yield address


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).status_code < 500
    except httpx.TransportError:
        return False


def _fill(neon: dict[str, str]) -> str:
    """A project with branches and a snapshot; its id."""
    with NeonClient(
        neon["NEON_API_KEY"], base_url=neon["NEON_API_HOST"], org_id=neon["NEON_ORG_ID"]
    ) as client:
        shop = client.projects.create(name="shop")
        client.operations.wait(shop.operations)
        id_ = shop.project.id
        with psycopg.connect(shop.connection_uris[0].connection_uri, autocommit=True) as connection:
            connection.execute(_TABLES)
        for name in ("staging", "feature-search"):
            client.operations.wait(client.branches.create(id_, name=name).operations)
        kept = client.snapshots.create(id_, shop.branch.id, name="before-the-migration")
        client.operations.wait(kept.operations)
        return id_


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    main()
