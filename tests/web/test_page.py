"""The page of a database, which tests/fastapi looks at in a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from neonup import Database
from neonup_web.page import render_page

EXPIRING = Database(
    "postgresql://u:p@h/d", "claimable", expires_at=datetime.now(UTC) + timedelta(hours=5)
)


@pytest.mark.parametrize(
    ("database", "shown", "not_shown"),
    [
        (EXPIRING, "<code>neonup claim</code>", "Claim this database"),
        (EXPIRING.with_(claim_url="https://h/claim/1"), "Claim this database", "neonup claim"),
        (EXPIRING.with_(expires_at=None), "Host", "neonup claim"),
    ],
)
def test_it_says_how_a_database_that_expires_is_claimed(
    database: Database, shown: str, not_shown: str
) -> None:
    body = render_page(database, None, None).body
    assert shown in body
    assert not_shown not in body
