"""Somebody at a terminal with a browser beside it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from neonup_emulator.neon.oauth import tokens as oauth_tokens
from neonup_emulator.neon.oauth.model import OAuthGrant
from tests import asking
from tests.cloud.oauth.wire import Wire
from tests.emulator.oauth import Person
from tests.emulator.serving import NeonServer
from tests.programs import Program
from tests.project import Project


@dataclass
class Terminal(Project):
    """A shell, and whose it is."""

    person: Person = None  # type: ignore[assignment]
    server: NeonServer = None  # type: ignore[assignment]

    @property
    def home(self) -> Path:
        return Path(self.environ["NEONUP_HOME"])

    @property
    def file(self) -> Path:
        """What is kept of the sign-in."""
        (found,) = (self.home / "auth").glob("*.json")
        return found

    @property
    def kept(self) -> Any:
        return json.loads(self.file.read_text())

    @property
    def grants(self) -> list[OAuthGrant]:
        """What the user allows applications at the moment."""
        every = self.server.neon.store.all(OAuthGrant)
        return [one for one in every if one.user_id == self.person.user.id]

    @contextmanager
    def login(self, *options: str, **environ: str) -> Iterator[Login]:
        """The command, waiting for the browser."""
        with Program(
            [sys.executable, "-m", "neonup", "auth", "login", "--no-open", *options],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Login(process)
            finally:
                process.kill()

    def sign_in(self, *options: str, **environ: str) -> str:
        """Do it, with consent; what the command says."""
        with self.login(*options, **environ) as login:
            asking.get(self.back(login.url))
            return login.ends(0)

    def back(self, url: str, decision: str = "allow") -> str:
        """Where the browser is sent after somebody pressed a button."""
        parameters = dict(parse_qsl(urlsplit(url).query))
        answered = self.person.decide(parameters, decision)
        return str(httpx.URL(parameters["redirect_uri"], params=answered))

    def asks(self, code: str) -> str:
        """What a program prints that uses a `NeonClient` called ``neon``."""
        done = self.python(f"from neonup_cloud import NeonClient\nneon = NeonClient()\n{code}")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def starts(self, code: str, *, interactive: bool = False) -> subprocess.Popen[str]:
        """A program that goes on meanwhile."""
        return Program(
            [sys.executable, "-c", code],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.PIPE if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def through(self, wire: Wire) -> None:
        """From now on the OAuth server is asked by way of a proxy."""

        def change(kept: Any) -> None:
            kept["oauth_host"] = wire.root

        self.change(change)

    def change(self, change: Callable[[Any], None]) -> None:
        """Edit what is kept."""
        kept = self.kept
        change(kept)
        self.file.write_text(json.dumps(kept))

    def forget(self, token: str) -> None:
        """Let the server take that token no more."""
        found = oauth_tokens.find(self.server.neon, token)
        assert found
        self.server.neon.store.delete(found)

    def let_expire(self) -> None:
        """Go to where the access token's hour is over by this machine's clock."""

        def change(kept: Any) -> None:
            kept["tokens"]["expires_at"] = 1.0

        self.change(change)


class Login:
    """A running ``neonup auth login``."""

    def __init__(self, process: subprocess.Popen[str]):
        self.process = process
        self._url = ""
        self.said = ""

    @property
    def url(self) -> str:
        """The address that is to be opened."""
        assert self.process.stderr
        while not self._url:
            line = self.process.stderr.readline()
            assert line, self.said
            self.said += line
            if found := re.search(r"^ +(http\S+)", line):
                self._url = found[1]
        return self._url

    def ends(self, status: int) -> str:
        """All that it says, once it has ended with that status."""
        answer, rest = self.process.communicate(timeout=60)
        self.said += rest
        assert self.process.returncode == status, answer + self.said
        assert "Traceback" not in self.said
        return answer if status == 0 else answer + self.said


def secrets_of(kept: Any) -> list[str]:
    """What nobody may see."""
    return [kept["tokens"]["access_token"], kept["tokens"]["refresh_token"]]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
