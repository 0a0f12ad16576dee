"""Who gets into the studio, and how it ends."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import psycopg
import pytest

from neonup import resolve
from neonup_studio.server import running
from tests import asking
from tests.project import Project
from tests.studio.serving import ServedStudio, Visitor, studio, visitor
from tests.waiting import wait_until

TABLES = "/db/inspect"


def test_the_link_works_once(project: Project) -> None:
    with studio(project) as served, asking.client(follow_redirects=True, timeout=60) as other:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/enter\?token=[\w-]{43}", served.link)
        assert other.get(served.root).status_code == 401
        assert other.get(f"{served.root}/enter?token=wrong").status_code == 401
        assert other.get(f"{served.root}/enter?token=%C3%A9").status_code == 401
        with visitor(served) as first:
            assert first.client.get(served.link).status_code == 200  # again in the same browser
            refused = other.get(served.link)
            assert refused.status_code == 401
            assert "works once" in refused.text
            for path in ("/", TABLES, "/nothing", "/static"):
                assert other.get(f"{served.root}{path}").status_code == 401, path
            assert other.post(f"{served.root}/db/query", data={"query": "x"}).status_code == 401
            assert other.get(f"{served.root}/static/style.css").status_code == 200
            forged = {name: value[:-2] for name, value in first.client.cookies.items()}
            assert asking.get(f"{served.root}{TABLES}", cookies=forged).status_code == 401


def test_a_page_from_elsewhere_reaches_nothing(shop: Visitor, shared_studio: ServedStudio) -> None:
    assert shop.client.get(TABLES, headers={"host": "evil.example"}).status_code == 403
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
    ):
        answer = shop.client.post("/db/query", data={"csrf": shop.token()}, headers=headers)
        assert answer.status_code == 403, headers
    assert shop.client.post("/db/query", data={"query": "SELECT 1"}).status_code == 403
    assert shop.client.post("/db/query", data={"csrf": "wrong"}).status_code == 403


def test_pages_permit_nothing_from_elsewhere(shop: Visitor) -> None:
    page = shop.client.get(TABLES)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page.text)
    assert "style=" not in page.text
    assert "onclick" not in page.text
    cookie = shop.client.get("/").history[0].headers.get("set-cookie", "httponly")
    assert "httponly" in cookie.lower()


def test_what_is_not_there(shop: Visitor) -> None:
    for path in ("/nothing/inspect", "/db/nothing", "/db/inspect/nothing", "/branch-x/inspect"):
        assert shop.client.get(path).status_code == 404, path
    assert shop.client.put(TABLES).status_code == 405


def test_ctrl_c_ends_it(project: Project) -> None:
    with studio(project) as served, visitor(served) as found:
        found.read("inspect")
        status, said = served.end()
    assert (status, said) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGTERM")
def test_sigterm_ends_it(project: Project) -> None:
    with studio(project) as served:
        served.process.send_signal(signal.SIGTERM)
        assert served.ended()[0] == 0


def test_it_ends_when_nobody_uses_it(project: Project) -> None:
    with studio(project, "--idle", "1s") as served:
        status, said = served.ended()
    assert (status, said) == (0, "")


def test_its_port_is_chosen_or_refused(project: Project) -> None:
    with studio(project) as served:
        port = served.root.rpartition(":")[2]
        said = project.fails("studio", "--no-open", "--port", port)
        assert f"cannot listen on 127.0.0.1, port {port}" in said
    assert "is no time span" in project.neonup("studio", "--idle", "soon").stderr


def test_it_opens_the_browser(project: Project, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part\nmv {opened}.part {opened}\n')
    browser.chmod(0o755)
    command = [sys.executable, "-m", "neonup", "studio", "--idle", "5s"]
    done = project.command(command, BROWSER=str(browser))
    assert done.returncode == 0, done.stderr
    assert opened.read_text().strip() in done.stdout
    assert "Ctrl-C ends it, or 5 s without a visit." in done.stdout
    opened.unlink()
    done = project.command([*command, "--no-open", "--idle", "1s"], BROWSER=str(browser))
    assert "The studio is open: http://127.0.0.1" in done.stdout
    assert not opened.exists()


def test_others_are_told_where_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEONUP_HOME", project.environ["NEONUP_HOME"])
    settings = resolve(project.folder)
    assert running.address(settings) is None
    with studio(project) as served:
        assert running.address(settings) == served.root
        with studio(project) as second:
            assert running.address(settings) == second.root
            served.end()
            assert running.address(settings) == second.root
        assert running.address(settings) is None


def test_a_killed_studio_is_told_of_no_more(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONUP_HOME", project.environ["NEONUP_HOME"])
    with studio(project) as served:
        served.process.kill()
        served.process.wait(timeout=60)
        assert running.address(resolve(project.folder)) is None


def test_without_a_database_there_is_nothing_to_see(tmp_path: Path, neonup_home: Path) -> None:
    from tests.project import clean_environ

    empty = Project(tmp_path, clean_environ(neonup_home))
    assert "DATABASE_URL" in empty.fails("studio", "--no-open")


def test_a_database_that_goes_away_meanwhile(project: Project) -> None:
    with studio(project) as served, visitor(served) as found:
        found.read("inspect")
        project.ok("stop")
        assert "worth a look" in found.read("inspect")  # it is woken again
        project.ok("destroy", "--yes")
        gone = found.open("inspect")
        assert gone.status_code == 503
        assert "DATABASE_URL" in gone.text


def test_its_connections_do_not_stay(project: Project) -> None:
    with studio(project) as served, visitor(served) as found:
        found.read("inspect")
        with psycopg.connect(project.url, autocommit=True) as connection:

            def gone() -> bool:
                (count,) = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'neonup studio'"
                ).fetchone() or (1,)
                return bool(count == 0)

            wait_until(gone, "the end of the studio's connection")


def test_another_folders_database_is_only_looked_at_unless_that_is_named(
    project: Project, tmp_path: Path
) -> None:
    other = Project(tmp_path / "other", project.environ)
    other.folder.mkdir()
    other.env_file.write_text(project.env_file.read_text())
    change = {"query": "CREATE TABLE made (a int)"}
    with studio(other) as served, visitor(served) as found:
        refused = found.send("query", **change)
        assert refused.status_code == 403
        assert str(project.folder) in refused.text
    with studio(other, "--of", str(project.folder)) as served, visitor(served) as found:
        assert "CREATE TABLE" in found.done("query", **change)


def test_switched_off_it_only_shows(project: Project) -> None:
    off = Project(project.folder, {**project.environ, "NEONUP": "off"})
    with studio(off) as served, visitor(served) as found:
        refused = found.send("query", query="CREATE TABLE made (a int)")
        assert refused.status_code == 403
        assert "NEONUP=off" in refused.text
        assert "made" not in found.read("tables")
