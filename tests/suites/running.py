"""One run of a suite, on plain Postgres or with neonup: how each test ended, and the seconds."""

from __future__ import annotations

import json
import os
import re
import shutil
import string
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from tests.suites import environments
from tests.suites.catalog import Suite
from tests.suites.plain_server import PlainServer

_SILENT = {"NEONUP_BANNER": "off", "NO_COLOR": "1"}
_PATIENCE = 3600  # seconds
_URL = re.compile(r"(postgres\S*?://)[^\s\]]+")
"""The database's URL in a parametrized test's id, which is another one in each run."""


class DidNotRun(Exception):
    """A suite did not run to its end; the text says what it printed."""


@dataclass(frozen=True)
class Run:
    """A suite's run.

    Args:
        outcomes: ``passed``, ``failed``, ``error`` or ``skipped``, by the test's id.
        seconds: of the whole process.
    """

    outcomes: Mapping[str, str]
    seconds: float


def on_plain(suite: Suite, folder: Path, server: PlainServer) -> Run:
    """Run it on a database of a plain server, as its documentation says."""
    checkout = _checkout(suite, folder)
    parts = _parts(server.create_database(suite.schema))
    variables = {name: template.format(**parts) for name, template in suite.variables.items()}
    tests = [string.Template(word).substitute(variables) for word in suite.tests]
    command = (*_pytest(suite), "-p", "no:neonup", *tests)
    return _run(suite, checkout, command, variables)


def with_neonup(suite: Suite, folder: Path, home: Path) -> Run:
    """Run it with neonup's settings in its ``pyproject.toml`` and nothing else."""
    checkout = _checkout(suite, folder)
    with (checkout / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(("", "[tool.neonup]", *_options(suite), "")))
    if suite.schema:
        (checkout / "schema.sql").write_text(suite.schema, encoding="utf-8")
    command: tuple[str, ...] = (*_pytest(suite), *suite.tests)
    if suite.by_run:
        shell = " ".join((*_pytest(suite), "-p no:neonup", *suite.tests))
        command = (command[0], "-m", "neonup", "run", "--test", "--", "sh", "-c", f"exec {shell}")
    return _run(suite, checkout, command, {"NEONUP_HOME": str(home)})


def _checkout(suite: Suite, folder: Path) -> Path:
    checkout = folder / suite.name
    shutil.rmtree(checkout, ignore_errors=True)
    shutil.copytree(environments.sources(suite), checkout, symlinks=True)
    for path, content in suite.files.items():
        (checkout / path).write_text(content, encoding="utf-8")
    return checkout


def _parts(url: str) -> dict[str, str]:
    """What templates may name; written out here, so that it is not neonup that says it."""
    parts = urlsplit(url)
    return {
        "url": url,
        "host": parts.hostname or "",
        "port": str(parts.port),
        "user": parts.username or "",
        "password": parts.password or "",
        "database": parts.path[1:],
        "sqlalchemy_psycopg_url": url.replace("postgresql:", "postgresql+psycopg:"),
    }


def _options(suite: Suite) -> list[str]:
    lines = [*suite.options]
    if suite.schema:
        lines.append('seed = "schema.sql"')
    own = {name: text for name, text in suite.variables.items() if name != "DATABASE_URL"}
    if own:  # DATABASE_URL is what neonup sets anyway
        lines.append("[tool.neonup.variables]")
        lines += [f"{name} = {json.dumps(text)}" for name, text in own.items()]
    return lines


def _pytest(suite: Suite) -> tuple[str, ...]:
    python = str(environments.python(suite.environment))
    return (python, "-m", "pytest", "-q", "--no-header", "--junitxml=outcomes.xml")


def _run(
    suite: Suite, checkout: Path, command: tuple[str, ...], variables: Mapping[str, str]
) -> Run:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NEONUP", "PG", "PYTEST", "DATABASE"))
    }
    environ = {**inherited, **_SILENT, **suite.environ, **variables}
    begin = time.monotonic()
    done = subprocess.run(
        command,
        cwd=checkout,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_PATIENCE,
        check=False,
    )
    seconds = time.monotonic() - begin
    report = checkout / "outcomes.xml"
    printed = done.stdout.decode(errors="replace")
    (checkout / "printed.txt").write_text(printed, encoding="utf-8")
    if done.returncode not in (0, 1) or not report.is_file():
        raise DidNotRun(printed[-4000:])
    return Run(_outcomes(report), seconds)


def _outcomes(report: Path) -> dict[str, str]:
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {"failure": "failed", "error": "error", "skipped": "skipped"}
        ended = next((kinds[child.tag] for child in case if child.tag in kinds), "passed")
        test = f"{case.get('classname')}::{case.get('name')}"
        outcomes[_URL.sub(r"\1...", test)] = ended
    return outcomes
