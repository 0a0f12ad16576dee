"""What a start does: a database and one banner in development, an error elsewhere."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.fastapi.served import DEV, RELOAD, RUN, UVICORN, argv, fails_to_start, serving
from tests.hostile_variables import HOSTILE
from tests.neon_new_server import NeonNewServer
from tests.postgres import free_port
from tests.project import Project, names


@pytest.mark.parametrize("command", [DEV, RELOAD], ids=["fastapi dev", "uvicorn --reload"])
def test_a_first_start_makes_a_database_and_the_second_finds_it(
    project: Project, command: tuple[str, ...]
) -> None:
    with serving(project, command) as served:
        assert served.answer() == "neondb"
        assert served.answer("/session") == "neondb"
        assert served.answer("/sync") == "neondb"
        assert "neonup  created a local Postgres" in served.said
        assert served.banners == 1
    content = project.env_file.read_bytes()
    with serving(project, command) as served:
        assert served.answer() == "neondb"
        assert "neonup  found a local Postgres" in served.said
        assert served.banners == 1
    assert project.env_file.read_bytes() == content


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_libpqs_variables_lead_an_application_nowhere_else(project: Project, driver: str) -> None:
    main = project.folder / "main.py"
    main.write_text(main.read_text().replace("Neon()", f"Neon(driver={driver!r})"))
    project.environ |= HOSTILE
    with serving(project, DEV) as served:
        for path in ("/", "/session", "/sync"):
            assert served.answer(path) == "neondb"
        assert served.answer("/_neon/health") == {"status": "ok"}
        project.ok("stop")
        for path in ("/", "/session", "/sync"):
            assert served.answer(path) == "neondb"


def test_plain_starlette(starlette_project: Project) -> None:
    with serving(starlette_project, RELOAD) as served:
        assert served.answer() == "neondb"
        assert served.answer("/_neon/health") == {"status": "ok"}
        assert served.banners == 1


def test_a_reload_sees_a_changed_env_file_and_repeats_nothing(
    project: Project, neonup_home: Path
) -> None:
    main = project.folder / "main.py"
    with serving(project, RELOAD) as served:
        assert served.answer() == "neondb"
        main.write_text(main.read_text() + "\n# changed\n")
        served.wait_for("Application startup complete", times=2)
        assert served.answer() == "neondb"
        assert served.banners == 1
        assert len(names(neonup_home / "databases")) == 1
        with psycopg.connect(project.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE other")
        project.env_file.write_text(re.sub(r"/neondb\b", "/other", project.env_file.read_text()))
        main.write_text(main.read_text() + "\n# changed again\n")
        served.wait_for("Application startup complete", times=3)
        assert served.answer() == "other"
        assert served.banners == 2  # it is another database


@pytest.mark.parametrize(
    "command",
    [(*UVICORN, "--workers", "4"), (*RUN, "--workers", "4")],
    ids=["uvicorn", "fastapi run"],
)
def test_four_workers_at_once_make_one_database(
    project: Project, neonup_home: Path, command: tuple[str, ...]
) -> None:
    with serving(project, command, NEONUP_ENV="development") as served:
        served.wait_for("Application startup complete", times=4)
        assert served.answer() == "neondb"
        assert served.banners == 1
    assert len(names(neonup_home / "databases")) == 1
    assert project.env_file.read_text().count("\nDATABASE_URL=") <= 1


@pytest.mark.parametrize("command", [UVICORN, RUN], ids=["uvicorn", "fastapi run"])
def test_production_makes_nothing_and_says_what_to_set(
    project: Project, neonup_home: Path, command: tuple[str, ...]
) -> None:
    before = names(neonup_home)
    said = fails_to_start(project, command)
    assert "There is no DATABASE_URL, and no database was created" in said
    assert "Set DATABASE_URL" in said and "NEONUP_ENV=development" in said
    assert said.count("Traceback") == 1  # the one that Starlette makes of every error
    assert "flow.py" not in said
    assert names(neonup_home) == before
    assert not project.env_file.exists()


@pytest.mark.parametrize("command", [UVICORN, RUN], ids=["uvicorn", "fastapi run"])
def test_a_terminal_does_not_turn_production_into_development(
    project: Project, command: tuple[str, ...]
) -> None:
    master, terminal = pty.openpty()
    try:
        done = subprocess.run(
            argv(command, free_port()),
            cwd=project.folder,
            env=project.environ,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            timeout=60,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(master)
    assert done.returncode != 0
    assert not project.env_file.exists()


def test_reload_in_code_is_a_sign_of_development(project: Project) -> None:
    (project.folder / "serve.py").write_text(
        "import sys, uvicorn\n"
        "if __name__ == '__main__':\n"
        "    uvicorn.run('main:app', port=int(sys.argv[2]), reload=True)\n"
    )
    with serving(project, ("serve",)) as served:
        assert served.answer() == "neondb"
        assert served.banners == 1


def test_in_production_a_url_is_all_that_is_needed(project: Project) -> None:
    project.ok()
    url = project.url
    project.env_file.unlink()
    with serving(project, UVICORN, DATABASE_URL=url, NEONUP_ENV="production") as served:
        assert served.answer() == "neondb"
        assert served.answer("/_neon/health") == {"status": "ok"}
        assert served.get("/_neon").status_code == 404
    assert not project.env_file.exists()


def test_a_database_of_neon_new_says_how_long_it_lives_and_how_to_claim_it(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    with serving(project, DEV, **neon_new_server.environment) as served:
        assert served.answer("/sync") == "neondb"
        assert re.search(r"expires in 2 d 23 h unless claimed", served.said)
        assert f"claim it: {neon_new_server.url}/claim/" in served.said
        assert served.banners == 1


def test_a_claimed_database_is_the_owners_and_goes_on(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    with serving(project, DEV, **neon_new_server.environment):
        pass
    new = neon_new_server.claim(project.json("status", **neon_new_server.environment)["id"])
    project.env_file.write_text(project.env_file.read_text().replace(project.url, new))
    with serving(project, DEV, **neon_new_server.environment) as served:
        assert served.answer() == "neondb"


def test_an_expired_database_is_an_error_that_says_what_to_do(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    _let_expire(project, neon_new_server)
    said = fails_to_start(project, UVICORN, **neon_new_server.environment)
    assert "expired on" in said
    assert "neonup --force" in said


def test_an_expired_database_is_replaced_where_settings_say_so(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    _let_expire(project, neon_new_server)
    old = project.url
    environ = {**neon_new_server.environment, "NEONUP_ON_EXPIRY": "replace"}
    with serving(project, DEV, **environ) as served:
        assert served.answer() == "neondb"
        assert served.banners == 1
    assert project.url != old


def test_a_database_that_expires_meanwhile_is_named_so(
    project: Project, neon_new_server: NeonNewServer
) -> None:
    with serving(project, DEV, **neon_new_server.environment) as served:
        assert served.answer() == "neondb"
        _expire(project, neon_new_server)
        assert served.get().status_code == 500
        served.wait_for("DatabaseExpired: ")
        health = served.get("/_neon/health")
        assert (health.status_code, health.json()["error"]) == (503, "database_expired")
        assert "expired on" in served.get("/_neon").text


def test_without_a_network_the_error_says_what_was_tried(project: Project) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/api/v1"
    said = fails_to_start(
        project,
        UVICORN,
        NEONUP_ENV="development",
        NEONUP_PROVIDER="neon.new",
        NEONUP_NEON_NEW_URL=nowhere,
    )
    assert nowhere in said
    assert not project.env_file.exists()


def _let_expire(project: Project, server: NeonNewServer) -> None:
    """Make a database of neon.new that has expired."""
    project.ok(**server.environment)
    _expire(project, server)


def _expire(project: Project, server: NeonNewServer) -> None:
    """Let a database's time be over: there, and in what is recorded."""
    server.let_expire(project.json("status", **server.environment)["id"])
    text = project.env_file.read_text()
    project.env_file.write_text(re.sub(r"expires=\S+", "expires=2026-01-01T00:00:00+00:00", text))


@pytest.mark.parametrize("command", [RELOAD, (*UVICORN, "--workers=3")], ids=["reload", "workers"])
def test_migrations_at_a_start_run_once_before_it_answers(
    project: Project, command: tuple[str, ...]
) -> None:
    project.ok()
    (project.folder / "migrate.py").write_text(
        "import os\nwith open('runs', 'a') as log:\n    log.write(f'{os.getpid()}\\n')\n"
    )
    settings = {"NEONUP_MIGRATE": "python migrate.py", "NEONUP_MIGRATE_ON": "start"}
    project.environ |= {**settings, "NEONUP_ENV": "development"}
    with serving(project, command) as served:
        assert served.answer() == "neondb"
        served.wait_for("Application startup complete", times=3 if "--workers=3" in command else 1)
        assert len((project.folder / "runs").read_text().splitlines()) == 1
