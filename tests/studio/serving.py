"""A studio as a person has one: `neonup studio` as a child process, and a browser's session."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests import asking
from tests.programs import Program
from tests.project import Project
from tests.sessions import PageSession


@dataclass
class ServedStudio:
    """A studio that runs.

    Args:
        process: `neonup studio`.
        link: what it printed; it works once.
    """

    process: subprocess.Popen[str]
    link: str

    @property
    def root(self) -> str:
        """The address of the server."""
        parts = urlsplit(self.link)
        return f"{parts.scheme}://{parts.netloc}"

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C; its exit status, and what it said on stderr."""
        self.process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for its end."""
        _, said = self.process.communicate(timeout=120)
        return self.process.returncode, said


@contextmanager
def studio(project: Project, *options: str) -> Iterator[ServedStudio]:
    """`neonup studio --json` of a project."""
    process = Program(
        [sys.executable, "-m", "neonup", "studio", "--json", *options],
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=120)[1]
        yield ServedStudio(process, json.loads(line)["url"])
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


class Visitor(PageSession):
    """Somebody in the studio; paths are below the project's database, unless they begin with /."""

    form_page = "query"

    def address(self, path: str) -> str:
        """The path that is meant."""
        return path if path.startswith("/") else f"/db/{path}"


@contextmanager
def visitor(served: ServedStudio) -> Iterator[Visitor]:
    """Whoever opens the link first."""
    with asking.client(base_url=served.root, follow_redirects=True, timeout=120) as client:
        assert client.get(served.link).status_code == 200
        yield Visitor(client)
