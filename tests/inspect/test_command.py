"""The command: which database it looks at, and how it answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonup_inspect.finding import ServerFacts
from neonup_inspect.topics.statements import how_to_get
from tests.project import Project, clean_environ


def test_a_database_that_is_asleep_is_woken(shop: Project) -> None:
    shop.ok("stop")
    assert "Nothing is worth a look." in shop.ok("inspect")
    assert shop.ok("inspect", "locks").splitlines() == [
        "Who waits for a lock, and who holds it?",
        "none",
    ]


def test_another_database_is_looked_at_by_its_variable(shop: Project, seeded: str) -> None:
    said = shop.ok("inspect", "duplicates", DATABASE_URL=seeded)
    assert '  DROP INDEX CONCURRENTLY public."same ON";\n' in said
    seen = shop.json("inspect", "duplicates", "-k", "OTHER_URL", OTHER_URL=seeded)
    assert seen["topic"] == "duplicates" and seen["notes"] == []
    assert {"index": 'public."same ON"', "table": "public.reading"}.items() <= seen["rows"][
        1
    ].items()
    everything = shop.json("inspect", DATABASE_URL=seeded)
    assert everything.keys() == {"findings", "notes"}
    assert everything["findings"][0].keys() == {
        *("topic", "subject", "reason", "statement", "weight"),
    }


def test_what_is_not_there_is_said(shop: Project, tmp_path: Path) -> None:
    empty = Project(tmp_path, clean_environ(Path(shop.environ["NEONUP_HOME"])))
    assert "There is no DATABASE_URL" in empty.fails("inspect")
    gone = "postgresql://me:hidden@127.0.0.1:1/shop"
    said = empty.fails("inspect", DATABASE_URL=gone)
    assert "cannot be inspected" in said and "hidden" not in said
    done = shop.neonup("inspect", "lock")
    assert done.returncode == 2 and "'locks'" in done.stderr


FACTS = ServerFacts(
    version=180000, role="me", sees_all=True, hidden_sessions=0, standby=False, neon=False,
    stats_reset=None, unreadable_sequences=0, statements_loaded=False, statements_schema=None,
    provider=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "way"),
    [
        ("local", "`neonup engine` changes it"),
        ("user", "shared_preload_libraries and restarts it"),
        (None, "shared_preload_libraries and restarts it"),
        ("claimable", "preload libraries in Neon's console"),
    ],
)
def test_how_statements_are_counted_depends_on_who_runs_the_server(
    provider: str | None, way: str
) -> None:
    facts = ServerFacts(**{**vars(FACTS), "provider": provider})
    assert way in how_to_get(facts)
    loaded = ServerFacts(**{**vars(facts), "statements_loaded": True})
    assert how_to_get(loaded).endswith("not created here. CREATE EXTENSION pg_stat_statements;")
