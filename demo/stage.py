"""What the demo plays on: a scratch folder, commands shown and run, a service in the background."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import psutil

import neonup

_HIDDEN = ("CI", "DATABASE_URL", "NEONUP", "PYTEST")
_SECONDS = 60.0


class Stage:
    """A scratch folder with a ``NEONUP_HOME`` of its own; use it as a context manager."""

    def __enter__(self) -> Stage:
        self._folder = Path(tempfile.mkdtemp(prefix="neonup-demo-"))
        self._folder.chmod(0o711)  # for root, Postgres runs as another user, who must get through
        self._cwd = self._folder
        self._service: subprocess.Popen[str] | None = None
        clean = {k: v for k, v in os.environ.items() if not k.startswith(_HIDDEN)}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{clean.get('PATH', '')}"
        # Keys instead of comments also where pydantic-settings is installed: for the eye.
        self._environ = {
            **clean,
            "PATH": programs,
            "NEONUP_HOME": str(self._folder / "home"),
            "NEONUP_ENV_KEYS": "all",
            "NEONUP_ENV": "development",
        }
        self._bold, self._dim, self._plain = (
            ("\x1b[1m", "\x1b[2m", "\x1b[0m")
            if sys.stdout.isatty() and not os.environ.get("NO_COLOR")
            else ("", "", "")
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop what runs and remove the folder; a second Ctrl-C does not hinder it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if self._service is not None:
            self._service.terminate()
            self._service.wait(_SECONDS)
        stopping = ["neonup", "stop", "--all"]
        subprocess.run(
            stopping, cwd=self._folder, env=self._environ, check=False, capture_output=True
        )
        self._end_the_rest()
        shutil.rmtree(self._folder)

    def _end_the_rest(self) -> None:
        """End what still works in the folder: the upkeep, which copies in the background."""
        name = str(self._folder)
        rest = [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(name in word for word in process.info["cmdline"] or [])
        ]
        for process in rest:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        psutil.wait_procs(rest, timeout=_SECONDS)

    def title(self, text: str) -> None:
        """A heading."""
        print(f"\n{self._bold}{text}{self._plain}\n", flush=True)

    def say(self, text: str) -> None:
        """A line between commands."""
        print(f"\n{text}", flush=True)

    def enter(self, name: str) -> None:
        """Make a project's folder and go there."""
        self._cwd = self._folder / name
        self._cwd.mkdir()
        self._show(f"mkdir {name} && cd {name}")

    def setting(self, name: str, value: str) -> None:
        """Set a variable for the commands that follow."""
        self._environ[name] = value
        self._show(f"export {name}={value}")

    def run(self, *command: str) -> str:
        """Show a command, run it, show what it says; its standard output is the answer."""
        self._show(shlex.join(command))
        with subprocess.Popen(
            command, cwd=self._cwd, env=self._environ, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                output, _ = process.communicate()
            except KeyboardInterrupt:
                process.terminate()
                raise
        print(output, end="", flush=True)
        if process.returncode:
            raise SystemExit(f"The demo ends here: {shlex.join(command)} failed.")
        return output.strip()

    def show_env(self) -> None:
        """Show ``.env``, its password masked."""
        self._show("cat .env")
        print(neonup.urls.mask((self._cwd / ".env").read_text("utf-8")), end="", flush=True)

    def serve(self) -> None:
        """Start ``neonup serve`` in the background, and set the variables that lead to it."""
        self._show("neonup serve &")
        self._service = subprocess.Popen(
            ["neonup", "serve", "--json", "--port", "0"],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C at this terminal is answered here, in order
        )
        ready = self._service.stdout.readline() if self._service.stdout else ""
        if not ready:
            raise SystemExit("The demo ends here: neonup serve did not start.")
        for name, value in json.loads(ready)["env"].items():
            self.setting(name, value)

    def claim(self, printed: str) -> None:
        """Claim without a browser, with the code and the page that ``neonup claim`` has printed.

        The new owner is the user whose API key `serve` has set.
        """
        import httpx

        code, page = printed.removeprefix("code: ").partition(",")[0], printed.splitlines()[-1]
        parts = urlsplit(page)
        url, wanted = f"{parts.scheme}://{parts.netloc}/neonup/claim", {"code": code}
        headers = {"Authorization": f"Bearer {self._environ['NEON_API_KEY']}"}
        self._show(
            f"curl -H \"Authorization: Bearer $NEON_API_KEY\" -d '{json.dumps(wanted)}' {url}"
        )
        with httpx.Client(timeout=_SECONDS, trust_env=False) as client:
            answer = client.post(url, json=wanted, headers=headers)
        print(answer.text, flush=True)
        answer.raise_for_status()

    def _show(self, command: str) -> None:
        print(f"{self._dim}${self._plain} {self._bold}{command}{self._plain}", flush=True)
        if sys.stdout.isatty():
            time.sleep(0.2)  # for the eye
