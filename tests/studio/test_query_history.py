"""The last statements of a project: what is kept of them, where, and for how long."""

from __future__ import annotations

import re
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import pytest

from neonup import Settings, resolve
from neonup_studio import history as kept
from neonup_studio.history import StatementHistory
from tests.project import Project
from tests.studio.serving import studio, visitor


@pytest.fixture
def settings(tmp_path: Path, neonup_home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("NEONUP_HOME", str(neonup_home))
    return resolve(tmp_path)


def add(history: StatementHistory, query: str, error: str = "") -> None:
    history.add(query, where="db", milliseconds=1, answer="SELECT 1", error=error, kind="run")


def queries(history: StatementHistory) -> list[str]:
    return [each.query for each in history.statements()]


def file(settings: Settings) -> Path:
    (found,) = (settings.home / "studio").glob("*.history.json")
    return found


def test_what_was_run_is_found_again_and_cleared(project: Project) -> None:
    for options in (), ("--read-only",):
        with studio(project, *options) as served, visitor(served) as shop:
            shop.send("query", query="SELECT 'ans' || 'wer' AS first", read_only="yes")
            shop.send("query", query="SELECT nothing", read_only="yes")
            page = shop.done("query", query="SELECT 2 AS last", read_only="yes", action="plan")
            assert page.index("SELECT 2 AS last</a>") < page.index("SELECT nothing</a>")
            assert "Column &#34;nothing&#34; does not exist</span>" in page
            assert "SELECT 1</span>" in page  # what it answered
            assert "explained</span>" in page
            link = re.search(r'href="/db/query\?past=([\w-]+)">SELECT &#39;ans', page)
            assert link
            filled = unescape(shop.read("query", past=link[1]))
            assert ">\nSELECT 'ans' || 'wer' AS first</textarea>" in filled
            assert "answer" not in unescape(filled)
            assert 'id="result"' not in filled  # it is not run by a link
        with studio(project, *options) as served, visitor(served) as shop:
            assert "SELECT 2 AS last</a>" in shop.read("query")
            page = shop.done("query/clear")
            assert "The history is empty." in page
            assert "Clear history" not in page
            assert ">\n</textarea>" in shop.read("query", past=link[1])


def test_what_was_answered_is_not_kept_and_nobody_else_reads_it(project: Project) -> None:
    with studio(project) as served, visitor(served) as shop:
        shop.done("query", query="SELECT 'open' || 'sesame'", read_only="yes")
        shop.send("query", query="ALTER ROLE nobody PASSWORD 'hunter2'")
        shop.send("query", query="SELECT dblink('host=x password=hunter3', '')")
    (found,) = Path(project.environ["NEONUP_HOME"], "studio").glob("*.history.json")
    text = found.read_text()
    assert "sesame" in text
    assert "opensesame" not in text
    assert "hunter" not in text
    if sys.platform != "win32":
        assert stat.S_IMODE(found.stat().st_mode) == 0o600
        assert stat.S_IMODE(found.parent.stat().st_mode) == 0o700
        lock = found.with_suffix(".lock")
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600


def test_only_so_many_are_kept(settings: Settings) -> None:
    history = StatementHistory(settings)
    for number in range(kept.MOST + 5):
        add(history, f"SELECT {number}")
    assert queries(history)[0] == f"SELECT {kept.MOST + 4}"
    assert queries(history)[-1] == "SELECT 5"
    assert len(queries(history)) == kept.MOST
    for number in range(20):
        add(history, f"SELECT {number} -- {'x' * 60_000}", error="e" * 10_000)
    assert file(settings).stat().st_size < kept.SIZE * 1.1
    assert 7 <= len(queries(history)) <= 9


def test_the_same_once_more_is_kept_once(settings: Settings) -> None:
    history = StatementHistory(settings)
    for query in ("SELECT 1", "SELECT 2", "SELECT 2", "SELECT 1", "  "):
        add(history, query)
    assert queries(history) == ["SELECT 1", "SELECT 2", "SELECT 1"]


def test_two_studios_lose_nothing_of_each_other(settings: Settings) -> None:
    def work(name: int) -> None:
        history = StatementHistory(settings)
        for number in range(10):
            add(history, f"SELECT {name}, {number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(set(queries(StatementHistory(settings)))) == 40


@pytest.mark.parametrize("broken", ["", "{}", "[1]", '[{"id": 1}]', "[" * 100_000, "\udcff"])
def test_a_broken_file_is_an_empty_history(settings: Settings, broken: str) -> None:
    history = StatementHistory(settings)
    add(history, "SELECT 1")
    file(settings).write_bytes(broken.encode("utf-8", "surrogateescape"))
    assert history.statements() == []
    add(history, "SELECT 2")
    assert queries(history) == ["SELECT 2"]


def test_a_history_that_cannot_be_written_is_no_error(settings: Settings) -> None:
    settings.home.mkdir(exist_ok=True)
    (settings.home / "studio").write_text("a file where the folder would be")
    history = StatementHistory(settings)
    add(history, "SELECT 1")
    assert history.statements() == []
    history.clear()
