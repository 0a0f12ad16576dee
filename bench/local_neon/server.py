"""A local Neon to measure, and what is asked of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from bench import world
from bench.world import NEONUP, Home

MIB = 1 << 20
POOL_SECONDS = 5.0
"""After this the server has prepared its spares again."""
GIBIBYTE = (
    "CREATE TABLE big AS SELECT g, repeat(md5(g::text), 16) AS t "
    "FROM generate_series(1, 1700000) g",
    "SELECT count(*) FROM big",
)
"""Statements that fill a database with 1 GiB."""


@dataclass(frozen=True)
class Server:
    """A ``neonup serve`` in a home of its own, on the disk."""

    home: Home
    process: psutil.Process
    client: httpx.Client
    env: Mapping[str, str]

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """What the API answers."""
        answer = self.client.request(method, path, json=body, params=query)
        answer.raise_for_status()
        return answer.json()

    def project(self) -> dict[str, Any]:
        """A new project."""
        created: dict[str, Any] = self.ask("POST", "/projects", {"project": {}})
        return created

    def suspend(self, project: dict[str, Any]) -> None:
        """Let its endpoint sleep."""
        endpoint = project["endpoints"][0]
        self.ask("POST", f"/projects/{endpoint['project_id']}/endpoints/{endpoint['id']}/suspend")

    def wait(self, path: str) -> None:
        """Until every operation of a project has ended."""
        while any(
            one["status"] == "running"
            for one in self.ask("GET", f"{path}/operations")["operations"]
        ):
            time.sleep(0.02)

    def cluster(self) -> Path:
        """The folder of its only cluster."""
        [folder] = (self.home.path / "neon" / "clusters").iterdir()
        return folder

    def own_url(self, project: dict[str, Any]) -> str:
        """The URL of a project's database at the port of its server, which has to run: no front."""
        lines = (self.cluster() / "data" / "postmaster.pid").read_text().splitlines()
        role = project["roles"][0]
        return f"postgresql://{role['name']}:{role['password']}@127.0.0.1:{lines[3]}/neondb"


@contextmanager
def serving() -> Iterator[Server]:
    """A running server; nothing of it is left."""
    with world.home() as home:
        process = subprocess.Popen(
            [NEONUP, "serve", "--json", "--port", "0"],
            env=home.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        env = json.loads(process.stdout.readline())["env"]
        try:
            headers = {"Authorization": f"Bearer {env['NEON_API_KEY']}"}
            with httpx.Client(
                base_url=env["NEON_API_HOST"], headers=headers, timeout=120
            ) as client:
                yield Server(home, psutil.Process(process.pid), client, env)
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()


def url_of(project: dict[str, Any]) -> str:
    """The URL of its first database, through the front."""
    return str(project["connection_uris"][0]["connection_uri"])


def select(url: str) -> None:
    """Connect, and ask the first query."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
