"""The front's process: ``python -m neonup_emulator.neon.compute.front.mover FD``.

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

import msgspec

from neonup_emulator.neon.compute.front.messages import (
    LARGEST,
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
class Door:
    """An endpoint.

    Args:
        port: of its server; None while it sleeps.
        waiting: connections that are held until it has been woken.
    """

    endpoint: str
    listener: socket.socket
    port: int | None = None
    waiting: list[socket.socket] = field(default_factory=list)
    connections: int = 0
    received: int = 0
    sent: int = 0
    changed: bool = False


class Side:
    """One end of a connection; what it sends goes to its `other`."""

    __slots__ = ("door", "ended", "events", "from_client", "other", "pending", "sock")

    def __init__(self, sock: socket.socket, door: Door, *, from_client: bool):
        self.sock = sock
        self.door = door
        self.from_client = from_client
        self.pending = b""  # read from the other side, and not yet accepted by this one
        self.ended = False  # the other side will send no more
        self.events = 0
        self.other: Side = self


class Mover:
    """The loop.

    Args:
        control: the socket to the local Neon.
    """

    def __init__(self, control: socket.socket):
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._doors: dict[str, Door] = {}
        self._decoder = msgspec.json.Decoder(ToFront)
        self._reported = time.monotonic()

    def run(self) -> None:
        """Until the local Neon ends."""
        self._selector.register(self._control, _READ, None)
        while True:
            changed = any(door.changed for door in self._doors.values())
            for key, events in self._selector.select(_REPORT_SECONDS if changed else None):
                subject = key.data
                if isinstance(subject, Side):
                    self._move(subject, events)
                elif isinstance(subject, Door):
                    self._accept(subject)
                elif not self._obey():
                    return
            if changed and time.monotonic() - self._reported >= _REPORT_SECONDS:
                self._report()

    def _obey(self) -> bool:
        """Do what one message asks; False where there will be no more."""
        content, sockets, _flags, _address = socket.recv_fds(self._control, LARGEST, 1)
        if not content:
            return False
        message = self._decoder.decode(content)
        if isinstance(message, Listen):
            listener = socket.socket(fileno=sockets[0])
            listener.setblocking(False)
            door = Door(message.endpoint, listener)
            self._doors[message.endpoint] = door
            self._selector.register(listener, _READ, door)
            return True
        found = self._doors.get(message.endpoint)
        if found is None:
            return True
        if isinstance(message, Up):
            found.port = message.port
            waiting, found.waiting = found.waiting, []
            for client in waiting:
                self._connect(client, found)
        elif isinstance(message, Down):
            found.port = None
            if not message.hold:
                self._turn_away(found, message.refusal)
        elif isinstance(message, Close):
            self._turn_away(found)
            self._selector.unregister(found.listener)
            found.listener.close()
            del self._doors[message.endpoint]
        return True

    def _turn_away(self, door: Door, refusal: Refusal | None = None) -> None:
        waiting, door.waiting = door.waiting, []
        for client in waiting:
            if refusal is None or threading.active_count() > _TALKING:
                client.close()
            else:
                threading.Thread(target=_refuse, args=(client, refusal), daemon=True).start()

    def _accept(self, door: Door) -> None:
        with suppress(OSError):
            while True:
                client, _address = door.listener.accept()
                client.setblocking(False)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if door.port is None:
                    self._hold(client, door)
                else:
                    self._connect(client, door)

    def _hold(self, client: socket.socket, door: Door) -> None:
        if not door.waiting:
            self._say(Wake(door.endpoint))
        door.waiting.append(client)

    def _connect(self, client: socket.socket, door: Door) -> None:
        """Connect a client to the server; on loopback that is done or refused at once."""
        server = socket.socket()
        try:
            server.connect(("127.0.0.1", door.port or 0))
        except OSError:  # it has crashed, or was stopped just now
            server.close()
            door.port = None
            self._hold(client, door)
            return
        server.setblocking(False)
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one, two = Side(client, door, from_client=True), Side(server, door, from_client=False)
        one.other, two.other = two, one
        door.connections += 1
        door.changed = True
        self._watch(one)
        self._watch(two)

    def _move(self, side: Side, events: int) -> None:
        if events & _WRITE and not self._flush(side):
            return
        if events & _READ:
            self._read(side)

    def _read(self, side: Side) -> None:
        other, door = side.other, side.door
        try:
            content = side.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self._drop(side)
            return
        if not content:
            other.ended = True
            self._flush(other)
            return
        if side.from_client:
            door.received += len(content)
        else:
            door.sent += len(content)
        door.changed = True
        try:
            sent = other.sock.send(content)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(side)
            return
        if sent < len(content):
            other.pending = content[sent:]
            self._watch(side)
            self._watch(other)

    def _flush(self, side: Side) -> bool:
        """Send what is pending; False where the connection is gone."""
        try:
            if side.pending:
                side.pending = side.pending[side.sock.send(side.pending) :]
            if side.ended and not side.pending:
                side.sock.shutdown(socket.SHUT_WR)
                if side.other.ended:
                    self._drop(side)
                    return False
        except BlockingIOError:
            pass
        except OSError:
            self._drop(side)
            return False
        self._watch(side)
        self._watch(side.other)
        return True

    def _watch(self, side: Side) -> None:
        """Wait for what can be done: reading where the other side has taken all, writing where
        something is pending."""
        readable = not side.other.pending and not side.other.ended
        events = (_READ if readable else 0) | (_WRITE if side.pending else 0)
        if events == side.events:
            return
        if side.events and events:
            self._selector.modify(side.sock, events, side)
        elif events:
            self._selector.register(side.sock, events, side)
        else:
            self._selector.unregister(side.sock)
        side.events = events

    def _drop(self, side: Side) -> None:
        for one in (side, side.other):
            if one.sock.fileno() < 0:
                continue
            if one.events:
                self._selector.unregister(one.sock)
                one.events = 0
            one.sock.close()
        side.door.connections -= 1
        side.door.changed = True

    def _report(self) -> None:
        self._reported = time.monotonic()
        for door in self._doors.values():
            if door.changed:
                door.changed = False
                self._say(Traffic(door.endpoint, door.connections, door.received, door.sent))

    def _say(self, message: FromFront) -> None:
        self._control.send(msgspec.json.encode(message))


def _refuse(client: socket.socket, refusal: Refusal) -> None:
    from neonup_emulator.neon.compute.front import refusing  # it needs ssl, which is seldom needed

    refusing.refuse(client, refusal)


def main() -> None:
    """Move bytes until the local Neon ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole foreground
    with suppress(ConnectionError):
        Mover(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
