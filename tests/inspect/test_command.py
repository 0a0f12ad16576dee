"""The command: which database it looks at, and how it answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from neonup_inspect import wording
from neonup_inspect.finding import ServerFacts
from neonup_inspect.topics import TOPICS
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


def test_what_is_said_is_short_and_has_no_secrets() -> None:
    assert [*map(wording.span, (0.0012, 7, 63, 7260, 90000))] == [
        *("0.0012 s", "7 s", "1 min 3 s", "2 h 1 min", "1 d 1 h"),
    ]
    assert [*map(wording.percent, (0, 0.1234, 0.9999, 1))] == ["0 %", "12.3 %", "99.9 %", "100 %"]
    assert wording.shortened("SELECT\n  1\x1b[2J") == "SELECT 1?[2J"
    assert len(wording.shortened("SELECT " + "x" * 500)) == 100
    for secret in ("'hunter 2'", "'hunter''s'", "E'hunter'", "$x$hunter$x$", "$$hunter$$"):
        assert wording.masked(f"ALTER ROLE a PASSWORD {secret} LOGIN") == (
            "ALTER ROLE a PASSWORD '***' LOGIN"
        )
    assert "hunter" not in wording.masked("SELECT dblink('postgresql://me:hunter@there/db', $1)")


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


def test_a_compute_of_neons_and_a_read_replica_count_their_own_statistics() -> None:
    reset = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    facts = ServerFacts(**{**vars(FACTS), "neon": True, "standby": True, "stats_reset": reset})
    assert TOPICS["unused"].notes([], facts) == [
        "Statistics are counted since 2026-02-03 04:05 UTC.",
        "At Neon they may begin anew with each start of the compute.",
        "This is a read replica: what the primary reads is not counted here.",
    ]
    assert "lfc-hit-rate" in TOPICS["cache"].notes([], facts)[-1]
    assert "CREATE EXTENSION" in how_to_get(facts)  # Neon loads it
