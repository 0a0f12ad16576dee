"""What the tests of neon.new's client share: a provider, a good answer, a failed request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neonup import Database, DatabaseSpec, ServiceError, Settings
from neonup.providers.neon_new import NeonNewProvider
from tests.contract.wire import Script, wire

ID = "01a20710-a3dc-7252-8e55-3de080787888"
URL = (
    "postgresql://neondb_owner:npg_secret1234@ep-cool-breeze-a1b2c3d4-pooler.c-2.us-east-2.aws."
    "neon.tech/neondb?channel_binding=require&sslmode=require"
)
GOOD: dict[str, Any] = {
    "id": ID,
    "status": "UNCLAIMED",
    "neon_project_id": "cool-breeze-12345678",
    "connection_string": URL,
    "claim_url": f"https://neon.new/claim/{ID}",
    "expires_at": "2099-02-01T12:00:00.000Z",
    "created_at": "2099-01-29T12:00:00.000Z",
    "updated_at": "2099-01-29T12:00:00.000Z",
}


def provision(provider: NeonNewProvider, spec: DatabaseSpec) -> Database:
    return provider.provision(spec)


def a_provider(url: str, timeout: float = 5) -> NeonNewProvider:
    table = {"url": url, "timeout": timeout}
    here = Path("/nowhere")
    return NeonNewProvider(Settings(project=here, home=here, tables={"neon.new": table}))


SPEC = DatabaseSpec(project=Path("/nowhere"), key="DATABASE_URL", env_file=Path("/nowhere/.env"))
RECORDED = Database(url=URL, provider="neon.new", id=ID)


def failure(*scripts: Script, timeout: float = 5) -> ServiceError:
    """The error of a provision; it names the request, a remedy, and no secret."""
    with wire(*scripts) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api, timeout), SPEC)
    error = raised.value
    assert f"POST {service.api}/database" in error.checked
    assert error.remedy
    for text in (str(error), repr(error), str(error.as_dict())):
        assert "npg_secret" not in text
        assert "Traceback" not in text
        assert text.isprintable() or "\n" in text
    return error
