"""What all tests share."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from neonup import Database

from app.main import app


@pytest.fixture
def client(neon_db: Database) -> Iterator[TestClient]:
    """The running application, on a migrated database of the test's own."""
    with TestClient(app) as client:
        yield client
