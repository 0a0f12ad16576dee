"""neon.new's client and a service that answers as it should; the settings that lead there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import neonup
from neonup import Database, DatabaseClaimed, ProviderError, SettingsError, State
from neonup.providers.neon_new import NeonNewProvider
from tests.contract.neon_new_client import (
    GOOD,
    ID,
    RECORDED,
    SPEC,
    URL,
    a_provider,
    provision,
)
from tests.contract.wire import Script, answer, wire


def test_a_new_database_has_all_that_the_service_said() -> None:
    with wire(answer(GOOD | {"brand_new_field": {"deep": [1]}})) as service:
        made = provision(a_provider(service.api), SPEC)
    assert service.asked == ["POST /api/v1/database HTTP/1.1"]
    assert made.url == URL
    assert made.direct_url == URL.replace("-pooler", "")
    assert made.claim_url == GOOD["claim_url"]
    assert made.expires_at == datetime(2099, 2, 1, 12, tzinfo=UTC)
    assert (made.id, made.provider, made.created, made.key) == (
        ID,
        "neon.new",
        True,
        "DATABASE_URL",
    )
    assert "npg_secret" not in repr(made)
    assert "claim/" not in repr(made)


def test_optional_fields_may_be_missing() -> None:
    least = {"id": ID, "connection_string": URL}
    with wire(answer(least)) as service:
        made = provision(a_provider(service.api), SPEC)
    assert (made.url, made.claim_url, made.expires_at) == (URL, None, None)


def test_a_database_without_a_pooler_has_one_url() -> None:
    plain = URL.replace("-pooler", "")
    with wire(answer(GOOD | {"connection_string": plain})) as service:
        made = provision(a_provider(service.api), SPEC)
    assert (made.url, made.direct_url, made.direct) == (plain, None, plain)


def test_a_claimed_answer_is_never_taken_for_a_new_database() -> None:
    claimed = GOOD | {"status": "CLAIMED", "connection_string": None}
    with wire(answer(claimed)) as service, pytest.raises(DatabaseClaimed) as raised:
        provision(a_provider(service.api), SPEC)
    assert "claim/" not in str(raised.value)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (answer(GOOD), State.READY),
        (answer(GOOD | {"status": "CLAIMING"}), State.READY),
        (answer(GOOD | {"status": "CLAIMED", "connection_string": None}), State.CLAIMED),
        (answer(GOOD | {"expires_at": "2020-01-01T00:00:00.000Z"}), State.EXPIRED),
        (answer({"message": "Database not found"}, 400), State.MISSING),
        (answer({"error": "Database not found"}, 404), State.MISSING),
    ],
)
def test_the_service_is_asked_how_a_database_is(said: Script, state: State) -> None:
    with wire(said) as service:
        provider = a_provider(service.api)
        found = provider.inspect(RECORDED)
    assert service.asked == [f"GET /api/v1/database/{ID} HTTP/1.1"]
    assert found.state is state
    assert found.database.url == URL
    if state is State.CLAIMED:
        assert "neonup adopt" in found.detail["next"]
        assert found.database.expires_at is None
    if state is State.READY:
        assert found.database.claim_url == GOOD["claim_url"]
        assert "100 MB" in found.detail["limits"]


def test_the_id_is_taken_from_the_claim_link_where_only_that_is_recorded() -> None:
    """neon-new's ``.env`` has no other; it writes /database/ where the service says /claim/."""
    known = Database(url=URL, provider="neon.new", claim_url=f"https://neon.new/database/{ID}")
    with wire(answer(GOOD)) as service:
        assert a_provider(service.api).inspect(known).database.id == ID
    assert service.asked == [f"GET /api/v1/database/{ID} HTTP/1.1"]
    with pytest.raises(ProviderError, match=r"which neon\.new database"):
        a_provider("http://127.0.0.1:9").inspect(Database(url=URL, provider="neon.new"))


def test_deleting_says_that_it_expires_by_itself() -> None:
    with pytest.raises(ProviderError, match="no way to delete a database") as raised:
        a_provider("http://127.0.0.1:9").delete(
            RECORDED.with_(expires_at=datetime(2099, 2, 1, tzinfo=UTC))
        )
    assert "01 February 2099" in str(raised.value)


@pytest.mark.parametrize(
    "url", ["neon.new", "ftp://neon.new", "http://", "http://u:sesame@h/", "http://h/?k=sesame",
            "http://h:99999/", "http://[", 5],
)  # fmt: skip
def test_a_base_url_that_is_none_is_said_without_it(url: Any) -> None:
    with pytest.raises(SettingsError) as raised:
        a_provider(url).provision(SPEC)
    assert "NEONUP_NEON_NEW_URL" in str(raised.value)
    assert "sesame" not in str(raised.value)


@pytest.mark.parametrize("timeout", [0, -1, "soon", 1e9, "nan"])
def test_a_timeout_that_is_none_is_said(timeout: Any) -> None:
    with pytest.raises(SettingsError, match="timeout"):
        a_provider("http://127.0.0.1:9", timeout).provision(SPEC)


def test_many_threads_may_ask_at_once() -> None:
    with wire(answer(GOOD)) as service:
        found: list[Database] = []
        threads = [
            threading.Thread(target=lambda: found.append(a_provider(service.api).provision(SPEC)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 8


def test_importing_the_provider_loads_no_http_client(project_python: Callable[[str], str]) -> None:
    loaded = project_python(
        "import neonup.providers.neon_new, sys; print('httpx' in sys.modules, 'ssl' in sys.modules)"
    )
    assert loaded.strip() == "False False"


@pytest.fixture
def project_python() -> Callable[[str], str]:
    """What a fresh Python process prints."""
    import subprocess
    import sys

    def run(code: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout

    return run


def test_public_names_are_enough_for_a_provider() -> None:
    assert issubclass(NeonNewProvider, neonup.Provider)
