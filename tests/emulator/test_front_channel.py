"""The stream between the local Neon and its front: whole messages, each with its own socket."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

from neonup_emulator.neon.compute.front.channel import Channel, pair
from neonup_emulator.neon.compute.front.messages import Down, Listen, Refusal, ToFront

SENDERS, EACH = 4, 50


def test_each_message_comes_whole_and_with_its_socket() -> None:
    with ExitStack() as stack:
        ours, theirs = map(stack.enter_context, pair())
        sending: Channel[ToFront] = Channel(ours, ToFront)
        receiving: Channel[ToFront] = Channel(theirs, ToFront)

        def send(number: int) -> None:
            for turn in range(EACH):
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    sending.send(Listen(str(listener.getsockname()[1])), listener)
                if turn % 10 == 0:  # longer than what is read at once
                    sending.send(Down(f"{number}", refusal=Refusal("why " * 50_000)))

        threads = [threading.Thread(target=send, args=[number]) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        listeners, refusals = 0, 0
        while listeners < SENDERS * EACH or refusals < SENDERS * EACH / 10:
            messages = receiving.receive()
            assert messages is not None
            for message in messages:
                if isinstance(message, Down):
                    assert message.refusal == Refusal("why " * 50_000)
                    refusals += 1
                else:
                    with receiving.next_socket() as listener:
                        assert str(listener.getsockname()[1]) == message.endpoint
                    listeners += 1
        for thread in threads:
            thread.join()
        ours.close()
        assert receiving.receive() is None
