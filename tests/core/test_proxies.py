"""Requests of the core through a proxy that the environment names."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from neonup.http.calls import Failure, Request
from neonup.http.transport import Sender

SERVICE = Request("GET", "https://db.example/api")


def _refuse(listener: socket.socket) -> list[str]:
    """Answer one request with an error; its lines."""
    connection, _ = listener.accept()
    with connection:
        asked = connection.recv(4096).decode().splitlines()
        connection.sendall(b"HTTP/1.1 502 no\r\n\r\n")
    return asked


def test_tls_goes_through_a_tunnel_of_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:
        port = listener.getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://me:p%40s@127.0.0.1:{port}")
        asked = pool.submit(_refuse, listener)
        failure = Sender(10).send(SERVICE)
        lines = asked.result(10)
    assert lines[0].startswith("CONNECT db.example:443 ")
    assert "proxy-authorization: Basic bWU6cEBz" in lines
    assert failure == Failure("Tunnel connection failed: 502 no", sent=False)


def test_a_proxy_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:1")
    failure = Sender(10).send(SERVICE)
    assert isinstance(failure, Failure) and failure.final
    assert "the proxy must be an http one" in failure.reason
