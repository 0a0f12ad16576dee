"""The studio of a shop that sells lamps, as the documentation's pictures show it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg

from docsite.navigation import ROOT
from docsite.programs import neonup, running
from tests.browser import Browser

SHOP = ROOT / "docsite" / "shop.sql"
HEIGHTS = {
    "studio-tables": 780,
    "studio-rows": 840,
    "studio-query": 1280,
    "studio-picture": 680,
    "studio-versions": 730,
}
"""The pictures, and how much of each page is shown, in pixels from its top."""
WIDTH = 1100
"""In pixels: on a narrower page, lists are cards."""

_QUERY = """\
SELECT p.name, sum(l.quantity) AS sold
FROM order_lines AS l JOIN products AS p ON p.id = l.product_id
WHERE p.price > 100
GROUP BY p.name ORDER BY sold DESC"""
_CHANGES = {
    "before the sale": "UPDATE products SET price = price - 5 WHERE 'sign' = ANY (tags)",
    "prices of December": "DELETE FROM reviews WHERE words IS NULL",
}
"""Versions that are kept, each before a change of the data."""


@contextmanager
def studio(folder: Path, environ: dict[str, str]) -> Iterator[str]:
    """A studio of a database on this machine; yields the link into it.

    Args:
        folder: of the project, which is made.
        environ: the environment of its programs.
    """
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    neonup(folder, environ, "up", "--provider", "local")
    _fill(folder, environ)
    with running(["neonup", "studio", "--json", "--no-open"], folder, environ) as server:
        assert server.stdout
        yield json.loads(server.stdout.readline())["url"]


def _fill(folder: Path, environ: dict[str, str]) -> None:
    url = neonup(folder, environ, "url").strip()
    statements = [SHOP.read_text("utf-8")]
    for name, change in _CHANGES.items():
        _run(url, *statements, "ANALYZE")
        neonup(folder, environ, "versions", "checkpoint", name)
        statements = [change]
    _run(url, *statements, "ANALYZE")


def _run(url: str, *statements: str) -> None:
    """Run statements, a connection each, so that what they did is counted when the next begins."""
    for statement in statements:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())


def _open(path: str, browser: Browser) -> None:
    browser.open(f"{browser.run('return location.origin')}/db/{path}")


def _explain(browser: Browser) -> None:
    """The query page with a plan."""
    _open("query", browser)
    browser.page.fill("#query", _QUERY)
    browser.press("button[value=analyze]")
    browser.run("document.activeElement.blur()")


PAGES: dict[str, Callable[[Browser], None]] = {
    "studio-tables": partial(_open, "tables"),
    "studio-rows": partial(_open, "tables/public/products"),
    "studio-query": _explain,
    "studio-picture": partial(_open, "picture"),
    "studio-versions": partial(_open, "versions"),
}
"""Of each picture, what opens its page in a browser that is in the studio."""
