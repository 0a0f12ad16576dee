"""A command at a terminal, whose stderr is looked at while it runs."""

from __future__ import annotations

import os
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class Terminal:
    """What a process writes to its stderr, which is a terminal, and its other pipes."""

    def __init__(self, process: subprocess.Popen[str], leader: int):
        self.process = process
        self.seen = ""
        self._leader = leader

    def type(self, keys: str) -> None:
        """Press keys at the terminal."""
        os.write(self._leader, keys.encode())

    @property
    def lines(self) -> list[str]:
        """What was drawn: each text that took the place of the one before."""
        return [text for text in self.seen.split("\r\x1b[K") if text]

    def until(self, text: str) -> None:
        """Read until the process has written this."""
        while text not in self.seen:
            if not self._read():
                printed, _ = self.process.communicate(timeout=120)
                raise AssertionError(f"it has ended, and wrote {self.seen!r} and {printed!r}")

    def go_on(self) -> None:
        """Give the process a line on stdin."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Read all that is left; what the process printed on stdout."""
        while self._read():
            pass
        printed, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0, self.seen
        return printed

    def _read(self) -> bool:
        try:
            part = os.read(self._leader, 65536)
        except OSError:  # how a terminal ends
            return False
        self.seen += part.decode()
        return bool(part)


@contextmanager
def terminal(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    columns: int = 100,
    interactive: bool = False,
) -> Iterator[Terminal]:
    """Run a command with a terminal of that width as its stderr; as all three, interactive."""
    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (24, columns))
    process = subprocess.Popen(
        argv,
        cwd=cwd,
        env={"TERM": "xterm", **env},
        stdin=follower if interactive else subprocess.PIPE,
        stdout=follower if interactive else subprocess.PIPE,
        stderr=follower,
        text=True,
        start_new_session=interactive,
    )
    os.close(follower)
    try:
        yield Terminal(process, leader)
    finally:
        os.close(leader)
        if process.poll() is None:
            process.kill()
        process.communicate()
