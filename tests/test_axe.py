"""That axe-core, as the tests of pages use it, finds what is wrong, in every light and width."""

from __future__ import annotations

from pathlib import Path

from tests.axe import VIEWS, violations, with_axe
from tests.browser import chromium

pytestmark = with_axe

PAGE = """
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>A page</title>
<style>
body { background: white; color: black; }
@media (prefers-color-scheme: dark) { .faint { color: #bbbbbb; } }
</style>
</head>
<body><main><h1>A page</h1>%s</main></body>
</html>
"""


def test_it_finds_what_is_wrong(tmp_path: Path) -> None:
    with chromium(tmp_path / "profile") as browser:
        page = tmp_path / "page.html"
        page.write_text(PAGE % "<p>Nothing is wrong with it.</p>")
        browser.open(page.as_uri())
        assert violations(browser) == []
        page.write_text(PAGE % "<input name=amount>")
        browser.open(page.as_uri())
        found = violations(browser)
        assert len(found) == len(VIEWS)
        assert all("(label)" in one and '<input name="amount">' in one for one in found)
        page.write_text(PAGE % "<p class=faint>Read me if you can.</p>")
        browser.open(page.as_uri())
        found = violations(browser)
        assert len(found) == sum(dark for _, dark in VIEWS)
        assert all("(color-contrast)" in one and " px, dark: " in one for one in found)
