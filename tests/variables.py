"""A project with ``[tool.neonup.variables]``, and what its ``.env`` must say of them."""

from __future__ import annotations

from neonup import urls
from tests.project import Project

TABLE = """
[tool.neonup.variables]
POSTGRES_SERVER = "{host}"
POSTGRES_PORT = "{port}"
POSTGRES_USER = "{user}"
POSTGRES_PASSWORD = "{password}"
POSTGRES_DB = "{database}"
ASYNC_URL = "{sqlalchemy_asyncpg_url}"
DSN = "host={host} port={port}"
"""
NAMES = [line.split()[0] for line in TABLE.splitlines() if " = " in line]


def declare(project: Project, scheme: str = "postgresql") -> None:
    """Give a project the variables, and URLs that begin with a scheme."""
    settings = f'[tool.neonup]\nurl_scheme = "{scheme}"\n'
    (project.folder / "pyproject.toml").write_text(settings + TABLE)


def expected(url: str) -> dict[str, str]:
    """The variables' values for a database, by name."""
    place = urls.parse(url)
    ((host, port),) = place.hosts
    query = f"?ssl={place.parameters['sslmode']}" if place.parameters else ""
    account = url.partition("://")[2].partition("?")[0]
    return {
        "POSTGRES_SERVER": host,
        "POSTGRES_PORT": str(port or 5432),
        "POSTGRES_USER": place.user or "",
        "POSTGRES_PASSWORD": place.password or "",
        "POSTGRES_DB": place.dbname or "",
        "ASYNC_URL": f"postgresql+asyncpg://{account}{query}",
        "DSN": f"host={host} port={port or 5432}",
    }


def of_ours(project: Project) -> dict[str, str]:
    """Those of the variables that are in ``.env``, by name."""
    return {name: project.variables[name] or "" for name in NAMES if name in project.variables}


def check(project: Project, scheme: str = "postgresql") -> None:
    """Each variable is in ``.env`` once, and agrees with the URL there."""
    assert project.url.startswith(f"{scheme}://")
    assert of_ours(project) == expected(project.url)
    lines = project.env_file.read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if not line.startswith("#")]
    assert len({*names}) == len(names), names
