"""A project with a database, and agents that talk to its server by the SDK's own client."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, TextContent

from tests.conftest import remove_home, warm_home
from tests.docs import answers
from tests.programs import Program
from tests.project import Project, clean_environ


@pytest.fixture
def project(tmp_path: Path, neonup_home: Path) -> Project:
    """An empty project in which nothing is there yet."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    return Project(folder, clean_environ(neonup_home))


@pytest.fixture(scope="module")
def shop(warm_parts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with a database and a table, for tests that leave them as they are."""
    home = warm_home(warm_parts)
    shop = Project(tmp_path_factory.mktemp("shop"), clean_environ(home))
    (shop.folder / "pyproject.toml").touch()
    shop.ok()
    shop.query("CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL)")
    shop.query("INSERT INTO customer VALUES (1, 'Ada'), (2, 'Grace')")
    yield shop
    remove_home(home)


@asynccontextmanager
async def agent(
    project: Project, *arguments: str, mode: str = "auto", **environ: str
) -> AsyncIterator[Client]:
    """A client whose server is a child process, over stdio."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "neonup", "mcp", *arguments],
        cwd=project.folder,
        env={**project.environ, **environ},
    )
    async with Client(stdio_client(server), mode=mode) as client:
        yield client


@dataclass
class Served:
    """A server over HTTP: a child process, and what it printed."""

    process: subprocess.Popen[str]
    url: str
    token: str | None
    log: Path

    def http(self) -> httpx2.AsyncClient:
        """What sends the token, and waits for a busy machine."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx2.AsyncClient(headers=headers, timeout=60)

    @asynccontextmanager
    async def client(self, mode: str) -> AsyncIterator[Client]:
        """A client of it."""
        async with self.http() as http:
            transport = streamable_http_client(self.url, http_client=http)
            async with Client(transport, mode=mode) as client:
                yield client

    def stderr(self) -> str:
        """What it has said so far."""
        return self.log.read_text()


@contextmanager
def served(project: Project, *arguments: str, **environ: str) -> Iterator[Served]:
    """A server over HTTP on a free port."""
    with (
        tempfile.NamedTemporaryFile("w", dir=project.folder.parent, suffix=".log") as log,
        Program(
            [sys.executable, "-m", "neonup", "mcp", "--http", "--json", *arguments],
            cwd=project.folder,
            env={**project.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout
        printed = "".join(process.stdout.readline() for _ in range(4))
        try:
            answers.check(("mcp",), json.loads(printed))
            yield Served(process, **json.loads(printed), log=Path(log.name))
        finally:
            process.terminate()
            process.wait(120)


def text(result: CallToolResult) -> str:
    """What a tool says."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def ok(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a call that must succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def fails(client: Client, tool: str, **arguments: Any) -> str:
    """What a call that must fail clearly says."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text(result)
    assert "Traceback" not in text(result)
    return text(result)
