"""A forked program is what a started one is: tests rely on that."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.programs import Program, run

SEEN = """
import atexit, json, os, signal, sys, threading
threading.Thread(target=lambda: print("in a thread")).start()
atexit.register(print, "at the end")
print(json.dumps({
    "argv": sys.argv, "path": sys.path[0], "folder": os.getcwd(), "name": __name__,
    "file": globals().get("__file__"), "doc": __doc__, "package": __package__,
    "variables": dict(os.environ), "leads a session": os.getsid(0) == os.getpid(),
    "streams": [
        [one.name, one.encoding, one.errors, one.line_buffering, one.isatty(), one.fileno()]
        for one in (sys.stdin, sys.stdout, sys.stderr)
    ],
    "interrupted by": str(signal.getsignal(signal.SIGINT)), "umask": os.umask(0),
    "mine": sorted(set(globals()) - {"json", "os", "sys", "atexit", "signal", "threading"}),
    "found": sys.modules["__main__"].__dict__ is globals(),
    "stdin": sys.stdin.read(),
}, sort_keys=True))
sys.stderr.write("no newline")
"""
FORKED = "import sys; print('psycopg' in sys.modules)"


def both(argv: list[str], **how: Any) -> list[tuple[int, str, str]]:
    """How a program ends, and what it prints, when it is forked and when it is started."""
    done = run(argv, **how)
    stdin = how.pop("stdin", None)
    if stdin is None:
        how["stdin"] = subprocess.DEVNULL
    started = subprocess.run(
        argv, check=False, input=stdin, text=True, capture_output=True, timeout=60, **how
    )
    return [(one.returncode, one.stdout, one.stderr) for one in (done, started)]


def seen(stdout: str) -> dict[str, Any]:
    """What a program has seen, once what else it prints is there."""
    first, found, last = stdout.splitlines()
    assert (first, last) == ("in a thread", "at the end")
    return dict(json.loads(found))


@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")
def test_programs_are_forked() -> None:
    assert run([sys.executable, "-c", FORKED]).stdout == "True\n"
    assert run([sys.executable, "-E", "-c", FORKED]).stdout == "False\n"
    assert run([sys.executable, "-c", FORKED], env={"PYTHONHASHSEED": "1"}).stdout == "False\n"


@pytest.mark.parametrize("new_session", [False, True])
@pytest.mark.parametrize("kind", ["-c", "manage.py"])
def test_everything_is_alike(tmp_path: Path, kind: str, new_session: bool) -> None:
    (tmp_path / "manage.py").write_text(f'"""A script."""\n{SEEN}')
    words = ["-c", SEEN] if kind == "-c" else [kind]
    forked, started = both(
        [sys.executable, *words, "some", "words"],
        stdin="text \N{SNOWMAN}",
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "ODD": "\udcff = \n"},
        start_new_session=new_session,
    )
    assert forked[0] == 0, forked[2]
    assert seen(forked[1]) == seen(started[1])
    assert forked[2] == started[2]


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.exit('said')",
        "import os; os._exit(4)",
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.execvp('echo', ['echo', 'another program'])",
        "import os; os.close(1); os.close(2)",
    ],
)
def test_it_ends_alike(code: str) -> None:
    forked, started = both([sys.executable, "-c", code])
    assert forked == started


def test_an_error_is_shown() -> None:
    forked, started = both([sys.executable, "-c", "1 / 0"])
    assert forked[0] == started[0] == 1
    assert forked[2].splitlines()[-1] == started[2].splitlines()[-1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it(how: signal.Signals) -> None:
    waits = "import time; print('waits', flush=True); time.sleep(60)"
    with Program([sys.executable, "-c", waits], stdout=-1, stderr=-3) as program:
        assert program.stdout
        assert program.stdout.readline() == b"waits\n"
        assert program.poll() is None
        program.send_signal(how)
        assert program.wait(60) == -how
        assert program.poll() == -how


def test_a_program_that_takes_too_long_is_killed() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.5)


def test_what_it_starts_can_outlive_it(tmp_path: Path) -> None:
    code = (
        "import subprocess; subprocess.Popen(['sh', '-c', 'sleep 0.3; echo later > late'], "
        "stdin=-3, stdout=-3, stderr=-3, start_new_session=True)"
    )
    assert run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0
    deadline = time.monotonic() + 30
    while not (tmp_path / "late").exists():
        assert time.monotonic() < deadline
