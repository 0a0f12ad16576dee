"""Many commands of the official command `neon` (npm), one after another in one process of Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

CLIENTS = Path(__file__).parent.parent / "clients"
CLI = CLIENTS / "node_modules" / "neon" / "dist" / "cli.js"
NODE = shutil.which("node")
_PROGRAM = CLIENTS / "neon-commands.mjs"


@dataclass(frozen=True)
class CommandOutput:
    """What a command wrote, and its exit status."""

    status: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """What it answers with ``-o json``."""
        return json.loads(self.stdout)


class OfficialCommands:
    """The command, as it is typed again and again in one folder.

    Args:
        config: the folder of its own settings.
        questions: where its arguments are written.
        answers: where its output is read.
    """

    def __init__(self, config: Path, questions: IO[str], answers: IO[str]):
        self._config, self._questions, self._answers = config, questions, answers
        self.commands: set[str] = set(self._read())

    def __call__(self, *arguments: str) -> CommandOutput:
        own = ["--no-analytics", "--config-dir", str(self._config)]
        self._questions.write(json.dumps([*own, *arguments]) + "\n")
        self._questions.flush()
        return CommandOutput(**self._read())

    def _read(self) -> Any:
        line = self._answers.readline()
        assert line, "the process of the official commands has ended"
        return json.loads(line)


@contextmanager
def official_commands(
    folder: Path, config: Path, environ: Mapping[str, str]
) -> Iterator[OfficialCommands]:
    """Start the process, and end it with the block."""
    assert NODE
    question, questions = os.pipe()
    answers, answer = os.pipe()
    with (
        os.fdopen(questions, "w", encoding="utf-8") as asked,
        os.fdopen(answers, encoding="utf-8") as answered,
    ):
        process = subprocess.Popen(
            [NODE, str(_PROGRAM), str(question), str(answer)],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(question, answer),
        )
        os.close(question)
        os.close(answer)
        try:
            yield OfficialCommands(config, asked, answered)
        finally:
            process.kill()
            process.wait()
