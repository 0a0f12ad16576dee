"""The front's process: ``python -m neonup_emulator.neon.compute.front.tcp_proxy FD``.

It ends when the local Neon that started it does: the socket between them is closed then.
"""

from __future__ import annotations

import selectors
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from neonup_emulator.neon.compute.front.channel import Channel
from neonup_emulator.neon.compute.front.messages import (
    Close,
    Down,
    FromFront,
    Listen,
    Refusal,
    ToFront,
    Traffic,
    Up,
    Wake,
)

_CHUNK = 65_536
_REPORT_SECONDS = 1.0
_TALKING = 64
"""Clients that are told at once why they are refused; others are only turned away."""
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass
class Listener:
    """The listening socket of an endpoint, and the traffic that went through it.

    Args:
        port: the port of the endpoint's server; None while the server sleeps.
        waiting: connections that are held until the server has been woken.
    """

    endpoint: str
    sock: socket.socket
    port: int | None = None
    waiting: list[socket.socket] = field(default_factory=list)
    connections: int = 0
    received: int = 0
    sent: int = 0
    changed: bool = False


class Peer:
    """One end of a connection; what it sends goes to its `other`."""

    __slots__ = ("ended", "events", "from_client", "listener", "other", "pending", "sock")

    def __init__(self, sock: socket.socket, listener: Listener, *, from_client: bool):
        self.sock = sock
        self.listener = listener
        self.from_client = from_client
        self.pending = b""  # read from the other peer, and not yet accepted by this one
        self.ended = False  # the other peer will send no more
        self.events = 0
        self.other: Peer = self


class TcpProxy:
    """Moves bytes between clients and servers; tells the local Neon who wants to connect.

    Args:
        control: the socket to the local Neon.
    """

    def __init__(self, control: socket.socket):
        self._channel: Channel[ToFront] = Channel(control, ToFront)
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[str, Listener] = {}
        self._reported = time.monotonic()

    def run(self) -> None:
        """Forward connections until the local Neon ends."""
        self._selector.register(self._channel.sock, _READ, None)
        while True:
            changed = any(listener.changed for listener in self._listeners.values())
            for key, events in self._selector.select(_REPORT_SECONDS if changed else None):
                subject = key.data
                if isinstance(subject, Peer):
                    self._forward(subject, events)
                elif isinstance(subject, Listener):
                    self._accept(subject)
                else:
                    messages = self._channel.receive()
                    if messages is None:
                        return
                    for message in messages:
                        self._obey(message)
            if changed and time.monotonic() - self._reported >= _REPORT_SECONDS:
                self._report()

    def _obey(self, message: ToFront) -> None:
        if isinstance(message, Listen):
            sock = self._channel.next_socket()
            sock.setblocking(False)
            opened = Listener(message.endpoint, sock)
            self._listeners[message.endpoint] = opened
            self._selector.register(sock, _READ, opened)
            return
        listener = self._listeners.get(message.endpoint)
        if listener is None:
            return
        if isinstance(message, Up):
            listener.port = message.port
            waiting, listener.waiting = listener.waiting, []
            for client in waiting:
                self._connect(client, listener)
        elif isinstance(message, Down):
            listener.port = None
            if not message.hold:
                self._turn_away(listener, message.refusal)
        elif isinstance(message, Close):
            self._turn_away(listener)
            self._selector.unregister(listener.sock)
            listener.sock.close()
            del self._listeners[message.endpoint]

    def _turn_away(self, listener: Listener, refusal: Refusal | None = None) -> None:
        waiting, listener.waiting = listener.waiting, []
        for client in waiting:
            if refusal is None or threading.active_count() > _TALKING:
                client.close()
            else:
                threading.Thread(target=_refuse, args=(client, refusal), daemon=True).start()

    def _accept(self, listener: Listener) -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.sock.accept()
                client.setblocking(False)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if listener.port is None:
                    self._hold(client, listener)
                else:
                    self._connect(client, listener)

    def _hold(self, client: socket.socket, listener: Listener) -> None:
        if not listener.waiting:
            self._say(Wake(listener.endpoint))
        listener.waiting.append(client)

    def _connect(self, client: socket.socket, listener: Listener) -> None:
        """Connect a client to the server; on loopback that is done or refused at once."""
        server = socket.socket()
        try:
            server.connect(("127.0.0.1", listener.port or 0))
        except OSError:  # it has crashed, or was stopped just now
            server.close()
            listener.port = None
            self._hold(client, listener)
            return
        server.setblocking(False)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client_peer = Peer(client, listener, from_client=True)
        server_peer = Peer(server, listener, from_client=False)
        client_peer.other, server_peer.other = server_peer, client_peer
        listener.connections += 1
        listener.changed = True
        self._watch(client_peer)
        self._watch(server_peer)

    def _forward(self, peer: Peer, events: int) -> None:
        if events & _WRITE and not self._flush(peer):
            return
        if events & _READ:
            self._read(peer)

    def _read(self, peer: Peer) -> None:
        other, listener = peer.other, peer.listener
        try:
            content = peer.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._drop(peer)
            return
        if not content:
            other.ended = True
            self._flush(other)
            return
        if peer.from_client:
            listener.received += len(content)
        else:
            listener.sent += len(content)
        listener.changed = True
        try:
            sent = other.sock.send(content)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(peer)
            return
        if sent < len(content):
            other.pending = content[sent:]
            self._watch(peer)
            self._watch(other)

    def _flush(self, peer: Peer) -> bool:
        """Send what is pending; False where the connection is gone."""
        try:
            if peer.pending:
                peer.pending = peer.pending[peer.sock.send(peer.pending) :]
            if peer.ended and not peer.pending:
                peer.sock.shutdown(socket.SHUT_WR)
                if peer.other.ended:
                    self._drop(peer)
                    return False
        except BlockingIOError:
            pass
        except OSError:
            self._drop(peer)
            return False
        self._watch(peer)
        self._watch(peer.other)
        return True

    def _watch(self, peer: Peer) -> None:
        """Wait for what can be done: reading where the other peer has taken all, writing where
        something is pending."""
        readable = not peer.other.pending and not peer.other.ended
        events = (_READ if readable else 0) | (_WRITE if peer.pending else 0)
        if events == peer.events:
            return
        if peer.events and events:
            self._selector.modify(peer.sock, events, peer)
        elif events:
            self._selector.register(peer.sock, events, peer)
        else:
            self._selector.unregister(peer.sock)
        peer.events = events

    def _drop(self, peer: Peer) -> None:
        for side in (peer, peer.other):
            if side.sock.fileno() < 0:
                continue
            if side.events:
                self._selector.unregister(side.sock)
                side.events = 0
            side.sock.close()
        peer.listener.connections -= 1
        peer.listener.changed = True

    def _report(self) -> None:
        self._reported = time.monotonic()
        for listener in self._listeners.values():
            if listener.changed:
                listener.changed = False
                self._say(
                    Traffic(
                        listener.endpoint, listener.connections, listener.received, listener.sent
                    )
                )

    def _say(self, message: FromFront) -> None:
        self._channel.send(message)


def _refuse(client: socket.socket, refusal: Refusal) -> None:
    from neonup_emulator.neon.compute.front import refusing  # it needs ssl, which is seldom needed

    refusing.refuse(client, refusal)


def main() -> None:
    """Move bytes until the local Neon ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole foreground
    with suppress(ConnectionError):
        TcpProxy(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
