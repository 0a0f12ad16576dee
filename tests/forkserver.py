"""A process that has imported what a program needs, and becomes that program once for each request.

``python forkserver.py SOCKET MODULE ...`` is a script, not a module of ``tests``: a project that is
tested may have a package of that name. The side that asks is ``tests.programs``.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

LARGEST = 1 << 17
"""Bytes of a request, which is one message."""
NUMBER = struct.Struct("q")
"""What is answered: the process's number, and how it ended, as `os.waitpid` has it."""


@dataclass(frozen=True)
class Request:
    """The program that a new process is to be, as in `subprocess.Popen`.

    Its standard streams come with it, and where to answer.
    """

    argv: list[str]
    """After the name of the interpreter."""
    cwd: str
    env: dict[str, str]
    new_session: bool


def load(name: str) -> None:
    """Import a module, or all modules below a package (``PACKAGE.*``), or one of pytest's plugins
    (``pytest:MODULE``)."""
    if name.startswith("pytest:"):
        _load_plugin(name.removeprefix("pytest:"))
        return
    with contextlib.suppress(ImportError):  # an environment need not have all of them
        package = importlib.import_module(name.removesuffix(".*"))
        if name.endswith(".*"):
            for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
                if not module.name.endswith((".__main__", ".auto")):  # which do something
                    load(f"{module.name}.*" if module.ispkg else module.name)


def _load_plugin(name: str) -> None:
    """Import it as pytest would, which warns of plugins whose assertions it has not rewritten."""
    from _pytest.assertion import install_importhook
    from _pytest.config import get_config

    hook = install_importhook(get_config())
    hook.mark_rewrite(name.partition(".")[0])
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
    sys.meta_path.remove(hook)


def serve(requests: socket.socket) -> Request:
    """Fork for each request; this returns in the new processes, and ends with who asks."""
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not requests:
                    selector.unregister(key.fileobj)
                    _report(key.fd, *key.data)
                    continue
                message, files, _, _ = socket.recv_fds(requests, LARGEST, 4)
                if not message:
                    os._exit(0)
                pid = os.fork()
                if pid == 0:
                    for other in [*selector.get_map().values()]:
                        if other.fileobj is not requests:
                            os.close(other.fd)
                            os.close(other.data[1])
                    return _become(Request(**json.loads(message)), files)
                *streams, answers = files
                for stream in streams:
                    os.close(stream)
                os.write(answers, NUMBER.pack(pid))
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, answers))


def _report(process: int, pid: int, answers: int) -> None:
    """Say how a process ended, if somebody still wants to know."""
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):
        os.write(answers, NUMBER.pack(status))
    os.close(answers)
    os.close(process)


def _become(request: Request, files: list[int]) -> Request:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(files[:3]):
        os.dup2(stream, number)
    for file in files:
        os.close(file)
    if request.new_session:
        os.setsid()
    os.chdir(request.cwd)
    os.environ.update(request.env)  # ours are some of them, and what the interpreter has added
    _forget(os.getppid())
    _open_streams(unbuffered=bool(request.env.get("PYTHONUNBUFFERED")))
    return request


def _forget(server: int) -> None:
    """Let our modules think that this process has imported them: they tell forked workers apart."""
    for name, module in sys.modules.items():
        if name.startswith("neonup"):
            for variable, value in [*vars(module).items()]:
                if type(value) is int and value == server:
                    setattr(module, variable, os.getpid())


def _open_streams(*, unbuffered: bool) -> None:
    """As the interpreter does when it starts: what they can do depends on what they are."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, name)
        how = {"encoding": before.encoding, "errors": before.errors}
        raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
        raw.name = f"<{name}>"
        buffer: Any
        if number == 0:
            buffer = io.BufferedReader(raw)
        else:
            buffer = raw if unbuffered else io.BufferedWriter(raw)
        stream = io.TextIOWrapper(
            buffer,
            line_buffering=name == "stderr" or raw.isatty(),
            write_through=unbuffered,
            **how,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


class Ending(contextlib.AbstractContextManager[None]):
    """The end of a program, without taking apart all that it has not even used."""

    status: int | None = 0
    """None where the interpreter must end it."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SystemExit):
            code = error.code
            self.status = code if isinstance(code, int) else int(code is not None)
        elif error is not None:
            self.status = None

    def end(self) -> None:
        """After all else that is to be done at the exit."""
        import os  # the program has its own variables in this module
        import sys

        if self.status is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.status & 0xFF)


def run(argv: list[str]) -> None:
    """What the interpreter does with its arguments: ``-m MODULE``, ``-c CODE``, or a script."""
    sys.orig_argv = [sys.executable, *argv]
    if argv[0] == "-m":
        sys.argv = argv[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    elif argv[0] == "-c":
        sys.argv = ["-c", *argv[2:]]
        sys.path[0] = ""
        _run_here(compile(argv[1], "<string>", "exec"))
    else:
        sys.argv = argv
        sys.path[0] = str(Path(argv[0]).resolve().parent)
        path = str(Path(argv[0]).absolute())
        _run_here(compile(Path(path).read_bytes(), path, "exec"), path)


def _run_here(code: CodeType, path: str | None = None) -> None:
    """In this very module: `runpy.run_path` takes away its own when the script has ended."""
    main: Any = sys.modules["__main__"]
    for name in [name for name in vars(main) if not name.startswith("__")]:
        delattr(main, name)
    main.__annotations__ = {}
    main.__doc__ = None
    if path is None:
        del main.__file__, main.__cached__
    else:
        main.__file__ = path
    exec(code, vars(main))


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _requests:
        for _name in sys.argv[2:]:
            load(_name)
        gc.collect()
        gc.freeze()  # no new process copies what all of them have
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _request = serve(_requests)
    _ending = Ending()
    atexit.register(_ending.end)  # the first one is called last
    with _ending:
        run(_request.argv)
