"""neon.new's client, proxies and certificates."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest
import trustme

from neonup import ServiceError
from tests.contract.neon_new_client import (
    GOOD,
    ID,
    SPEC,
    a_provider,
    provision,
)
from tests.contract.wire import answer, wire


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with wire(answer(GOOD)) as service:
        assert provision(a_provider(service.api), SPEC).id == ID


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_a_certificate_that_nobody_knows_is_refused_at_once(tls: ssl.SSLContext) -> None:
    with wire(answer(GOOD), tls=tls) as service, pytest.raises(ServiceError) as raised:
        provision(a_provider(service.api), SPEC)
    assert "certificate verify failed" in raised.value.message.lower()
    assert service.asked == []
    assert service.connections == 1


def test_a_certificate_authority_of_ones_own_is_taken_from_the_environment(
    tls: ssl.SSLContext, authority: trustme.CA, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    secure = GOOD | {"claim_url": f"https://neon.new/claim/{ID}"}
    with wire(answer(secure), tls=tls) as service:
        assert provision(a_provider(service.api), SPEC).id == ID
    plain = GOOD | {"claim_url": f"http://neon.new/claim/{ID}"}
    with wire(answer(plain), tls=tls) as service, pytest.raises(ServiceError, match="claim link"):
        provision(a_provider(service.api), SPEC)


@pytest.mark.parametrize("path", ["nowhere.pem", "empty.pem"])
def test_a_broken_certificate_file_is_an_error_and_no_traceback(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / path))
    with pytest.raises(ServiceError):
        provision(a_provider("https://127.0.0.1:9/api/v1"), SPEC)


def test_a_handshake_that_hangs_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/api/v1"
        begin = time.monotonic()
        with pytest.raises(ServiceError):
            provision(a_provider(url, 0.5), SPEC)
    assert time.monotonic() - begin < 20
