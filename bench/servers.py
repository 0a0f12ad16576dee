"""How long a development server takes to its first answered request."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Pair
from bench.timing import in_turns

_PATIENCE = 60.0  # seconds
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Program:
    """A server to start: `argv` gets the port where it says ``{port}``."""

    argv: Sequence[str]
    cwd: Path
    environ: Mapping[str, str]


Prepared = Callable[[], AbstractContextManager[Program]]


def milliseconds(program: Program) -> float:
    """From its start to the first page that it answered with 200; it is ended then.

    Raises:
        RuntimeError: it ended, answered with an error, or took too long.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    argv = [word.format(port=port) for word in program.argv]
    log = program.cwd / "server.log"
    with log.open("wb") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            argv,
            cwd=program.cwd,
            env=program.environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while not _answers(f"http://127.0.0.1:{port}/"):
            if process.poll() is not None or time.perf_counter() - begin > _PATIENCE:
                raise RuntimeError(f"{argv} does not answer:\n{log.read_text()[-4000:]}")
            time.sleep(0.002)
        return (time.perf_counter() - begin) * 1000
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        log.unlink()


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=_PATIENCE) as response:
            return bool(response.status == 200)
    except urllib.error.HTTPError as error:
        raise RuntimeError(error.read().decode(errors="replace")[:4000]) from error
    except OSError:
        return False


def side_by_side(ours: Prepared, theirs: Prepared, repeats: int) -> Pair:
    """The medians in milliseconds of some starts in turns, after one each that is not counted."""
    return in_turns(lambda: _timed(ours), lambda: _timed(theirs), repeats)


def always(program: Program) -> Prepared:
    """A server that needs nothing prepared."""
    return lambda: nullcontext(program)


def _timed(prepared: Prepared) -> float:
    with prepared() as program:
        return milliseconds(program)
