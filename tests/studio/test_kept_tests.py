"""The databases of failed tests, in the studio and by the command that pytest names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonup_local.test_server import KeptDatabases, runs
from tests.browser import chromium, in_a_browser
from tests.pages import CONTRASTS, show
from tests.project import Project, clean_environ
from tests.pytest.child import Child
from tests.studio.serving import Visitor, studio, visitor

SHOP = """
    import pytest

    @pytest.mark.parametrize("amount", [1, 2])
    def test_order(neon_connection, amount):
        neon_connection.execute("CREATE TABLE orders AS SELECT %s AS amount" % amount)
        neon_connection.commit()
        assert amount == 1, "<too many>"
"""


@pytest.fixture
def tested(project: Project, neonup_home: Path) -> Iterator[Child]:
    """A project with a database of its own and a test that fails."""
    yield from _tested(project.folder, neonup_home)


@pytest.fixture
def bare(tmp_path: Path, neonup_home: Path) -> Iterator[Child]:
    """A project that has no database but those of its tests."""
    folder = tmp_path / "bare"
    folder.mkdir()
    yield from _tested(folder, neonup_home)


def _tested(folder: Path, home: Path) -> Iterator[Child]:
    child = Child(folder, clean_environ(home))
    child.ini("neon_env = DATABASE_URL")
    child.file("tests/test_shop.py", SHOP)
    yield child
    for control in runs.folders(home):
        runs.remove(control)
    assert child.data == []


def named(output: str) -> str:
    """The argument of the command that pytest's report names."""
    (line,) = [line for line in output.splitlines() if line.startswith("neonup studio --test ")]
    *_, argument = shlex.split(line)
    return argument


def ask(found: Visitor, place: str, query: str) -> str:
    answer = found.client.post(
        f"{place}/query", data={"csrf": found.token(), "query": query, "read_only": "yes"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def test_they_are_listed_with_their_error_and_open_like_any_other(tested: Child) -> None:
    with studio(tested) as served, visitor(served) as found:
        assert "No test's database is kept" in found.read("tests")
        tested.pytest().expect(1, failed=1, passed=1)
        tested.file("tests/test_late.py", "def test_late(neon_db): assert 'later' == 'now'")
        tested.pytest("tests/test_late.py").expect(1, failed=1)
        page = found.read("tests")
        assert page.index("test_late") < page.index("test_order[2]")
        assert "AssertionError: &lt;too many&gt;" in page
        assert "tests/test_shop.py::test_order[2]" in page
        (place,) = re.findall(r'<a href="(/test-\w+)">test_order\[2\]</a>', page)
        first = found.client.get(place)
        assert first.status_code == 200
        assert "test_order[2]" in first.text
        assert "<td" in ask(found, place, "SELECT amount FROM orders")
        assert "does not exist" in ask(found, "/db", "SELECT amount FROM orders")
        page = found.read(f"{place}/tests")
        assert 'aria-current="true">test_order[2]</a>' in page
        assert "The project's database" in page
        tested.ok("stop", "--all")
        assert found.open(f"{place}/query").status_code == 404


def test_the_command_that_the_report_names_opens_it(bare: Child) -> None:
    """Also where the project has no other database."""
    which = named(bare.pytest().expect(1, failed=1, passed=1).output)
    assert which == "tests/test_shop.py::test_order[2]"
    for wanted in (which, "test_order"):
        with studio(bare, "--test", wanted) as served, visitor(served) as found:
            (kept,) = KeptDatabases(bare.home).of_project(bare.folder)
            place = f"/test-{kept.name}"
            assert str(found.client.get("/").url).startswith(f"{served.root}{place}/")
            page = found.client.get(f"{place}/query")
            assert "test_order[2]" in page.text
    said = bare.fails("studio", "--no-open", "--test", "test_other")
    assert "tests/test_shop.py::test_order[2]" in said


def test_where_there_is_nothing_else_to_see_the_list_comes_first(bare: Child) -> None:
    assert "DATABASE_URL" in bare.fails("studio", "--no-open")
    bare.pytest().expect(1, failed=1, passed=1)
    with studio(bare) as served, visitor(served) as found:
        first = found.client.get("/")
        assert first.url.path.endswith("/tests")
        assert "test_order[2]" in first.text
        assert "The project's database" not in first.text


def test_of_several_attempts_the_report_names_each(bare: Child) -> None:
    output = bare.pytest("--reruns=1", "-k", "2").output
    lines = [line for line in output.splitlines() if line.startswith("neonup studio --test ")]
    names = {kept.name for kept in KeptDatabases(bare.home).of_project(bare.folder)}
    assert {line.split()[-1] for line in lines} == names
    assert len(names) == 2


def test_the_report_has_the_link_to_a_studio_that_is_open(tested: Child) -> None:
    with studio(tested) as served, visitor(served) as found:
        output = tested.pytest().expect(1, failed=1, passed=1).output
        (link,) = re.findall(r"^http://\S+$", output, re.MULTILINE)
        assert link.startswith(f"{served.root}/test-")
        assert "test_order[2]" in found.client.get(link).text
    assert "http://" not in tested.pytest().output


def test_nothing_is_changed_where_nothing_may_be(tested: Child) -> None:
    tested.pytest().expect(1, failed=1, passed=1)
    for options, status in (((), 200), (("--read-only",), 403)):
        with studio(tested, "--test", "test_order", *options) as served, visitor(served) as found:
            place = str(found.client.get("/").url.path).rpartition("/")[0]
            fields = {"csrf": found.token(), "query": "DELETE FROM orders"}
            assert found.client.post(f"{place}/query", data=fields).status_code == status


def test_another_projects_is_not_to_be_had(tested: Child, bare: Child) -> None:
    bare.pytest().expect(1, failed=1, passed=1)
    (kept,) = KeptDatabases(bare.home).of_project(bare.folder)
    with studio(tested) as served, visitor(served) as found:
        assert found.open(f"/test-{kept.name}/query").status_code == 404
        assert "No test's database is kept" in found.read("tests")


@in_a_browser
def test_in_a_browser(tested: Child, tmp_path: Path) -> None:
    name = "a_test_whose_name_says_all_that_there_is_to_say_of_orders_that_are_deleted" * 2
    tested.file("tests/test_long.py", f"def test_{name}(neon_db): assert '{name}' == ''")
    tested.pytest("tests/test_long.py").expect(1, failed=1)
    tested.pytest("tests/test_shop.py").expect(1, failed=1, passed=1)
    with studio(tested) as served, chromium(tmp_path / "profile") as browser:
        browser.open(served.link)
        for width in (360, 1200):
            for dark in (False, True):
                show(browser, width=width, dark=dark)
                browser.open(f"{served.root}/db/tests")
                assert browser.text("h1") == "Tests"
                assert browser.run("return document.documentElement.scrollWidth") <= width
                assert browser.run(CONTRASTS) == []
        browser.press("section:first-of-type h2 a")
        assert browser.page.url.startswith(f"{served.root}/test-")
        browser.press(".tabs a[href$='/query']")
        browser.page.fill("#query", "SELECT amount * 21 AS answer FROM orders")
        browser.press("form.card button[type=submit]")
        assert browser.text(".result td") == "42"
        assert browser.complaints() == []
