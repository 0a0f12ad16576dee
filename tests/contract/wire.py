"""A service that misbehaves: each connection is answered by the next of some scripts."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Script = Callable[[socket.socket], None]
"""Answers one connection whose request was read already."""


@dataclass
class Wire:
    """Where the service is, and what it was asked: requests' first lines, with their times."""

    url: str
    connections: int = 0
    asked: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"


def answer(
    body: bytes | str | object,
    status: int = 200,
    *,
    kind: str = "application/json",
    length: int | None = None,
    **headers: str,
) -> Script:
    """An HTTP answer; a body that is neither bytes nor text is sent as JSON."""
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    content = content.encode() if isinstance(content, str) else content
    lines = [
        f"HTTP/1.1 {status} Said",
        f"content-type: {kind}",
        f"content-length: {len(content) if length is None else length}",
        "connection: close",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    whole = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    return lambda connection: connection.sendall(whole)


def raw(content: bytes) -> Script:
    """Bytes as they are, then the end."""
    return lambda connection: connection.sendall(content)


def hang(content: bytes = b"") -> Script:
    """Some bytes, and then nothing for a long time."""

    def script(connection: socket.socket) -> None:
        connection.sendall(content)
        connection.settimeout(30)
        try:
            connection.recv(1)
        except OSError:
            return

    return script


def drip(content: bytes, pause: float = 0.05) -> Script:
    """Byte after byte, each in time for a limit that starts anew with each."""

    def script(connection: socket.socket) -> None:
        for byte in content * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(pause)

    return script


def flood(head: bytes, sent: list[int]) -> Script:
    """Megabytes; ``sent`` gets how many bytes went out before the client hung up."""

    def script(connection: socket.socket) -> None:
        connection.sendall(head)
        sent.append(0)
        for _ in range(10 * 16):
            connection.sendall(b"x" * 65536)
            sent[-1] += 65536

    return script


@contextmanager
def wire(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    """A service on a free port; the last script answers all further connections."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        scheme = "https" if tls else "http"
        found = Wire(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}")

        def handle(plain: socket.socket, script: Script) -> None:
            found.connections += 1
            try:
                with (
                    plain,
                    tls.wrap_socket(plain, server_side=True) if tls else plain as connection,
                ):
                    head = _read(connection)
                    found.times.append(time.monotonic())
                    found.asked.append(head.partition(b"\r\n")[0].decode("ascii", "replace"))
                    script(connection)
            except OSError:
                return

        def serve() -> None:
            number = 0
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                script = scripts[min(number, len(scripts) - 1)]
                number += 1
                threading.Thread(target=handle, args=(connection, script), daemon=True).start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield found
        finally:
            stop.set()
            thread.join()


def _read(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionResetError
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += connection.recv(65536)
    return head
