"""The command line as a person and a program use it."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys

import pytest

from tests.docs import answers
from tests.project import Project


def test_the_url_in_each_form(project: Project) -> None:
    project.ok()
    assert project.ok("url").strip() == project.url
    assert project.ok("url", "--direct").strip() == project.url
    sqlalchemy = project.ok("url", "--driver", "sqlalchemy-asyncpg").strip()
    assert sqlalchemy.startswith("postgresql+asyncpg://")
    assert project.json("url") == {"url": project.url}


def test_env_is_for_a_shell(project: Project) -> None:
    project.ok()
    (line,) = project.ok("env").splitlines()
    assert shlex.split(line) == ["export", f"DATABASE_URL={project.url}"]
    assert project.json("env") == {"DATABASE_URL": project.url}


def test_run_becomes_the_program_with_its_status_and_arguments(project: Project) -> None:
    code = "import os, sys; print(os.environ['DATABASE_URL'], sys.argv[1:]); sys.exit(7)"
    done = project.neonup("run", "--", sys.executable, "-c", code, "--flag", "-y")
    assert done.returncode == 7
    assert done.stdout.strip() == f"{project.url} ['--flag', '-y']"


def test_run_of_a_program_that_is_not_there(project: Project) -> None:
    assert "no-such-program cannot be run" in project.fails("run", "--", "no-such-program")


def test_psql_gets_its_arguments_and_no_password_in_them(project: Project) -> None:
    project.ok()
    shown = project.ok("psql", "--", "-XAtc", r"\! tr '\0' ' ' < /proc/$PPID/cmdline")
    assert "-XAtc" in shown
    assert "npg_" not in shown


def test_json_is_one_document_on_stdout(project: Project) -> None:
    made = project.json()
    assert made["created"] is True and made["provider"] == "local"
    assert made["url"] == project.url
    status = project.json("status")
    assert status["state"] == "ready" and status["id"] == made["id"]


def test_an_error_in_json(project: Project) -> None:
    done = project.neonup("status", "--json")
    assert done.returncode == 1
    answers.check_failure(json.loads(done.stdout))
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "error" and error["remedy"] == "`neonup` creates one."


def test_status_masks_the_password(project: Project) -> None:
    project.ok()
    shown = project.ok("status")
    assert "neondb_owner:***@" in shown and "npg_" not in shown


def test_claim_of_a_local_database_says_that_it_is_yours(project: Project) -> None:
    project.ok()
    said = project.fails("claim")
    assert "yours already" in said and "neonup push" in said


def test_your_own_database_is_left_alone(project: Project) -> None:
    project.env_file.write_text("DATABASE_URL=postgres://me:mine@db.example.com/app\n")
    for command in ("reset", "destroy", "claim"):
        assert "your own database" in project.fails(command)
    assert "neonup seeds only" in project.fails("--seed", "x.sql")


@pytest.mark.parametrize("command", ["status", "url", "env", "psql", "claim", "reset", "destroy"])
def test_without_a_database_a_command_says_how_to_get_one(project: Project, command: str) -> None:
    said = project.fails(command)
    assert "There is no DATABASE_URL" in said and "`neonup` creates one" in said


def test_no_colour_and_no_progress_off_a_terminal(project: Project) -> None:
    done = project.neonup()
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr == ""


def test_a_wrong_option_is_clicks_usage_error(project: Project) -> None:
    done = project.neonup("--no-such-option")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_a_bad_key_names_its_source(project: Project) -> None:
    assert "key = 'NOT A NAME' (from argument)" in project.fails("-k", "NOT A NAME")


def test_seeding_by_the_option_happens_once(project: Project) -> None:
    (project.folder / "seed.sql").write_text(
        "CREATE TABLE IF NOT EXISTS t (n int);\nINSERT INTO t VALUES (1);\n"
    )
    project.ok()
    project.ok("--seed", "seed.sql")
    project.ok("--seed", "seed.sql")
    assert project.query("SELECT count(*) FROM t") == "1"


def test_doctor_says_what_would_be_taken(project: Project) -> None:
    findings = project.json("doctor")["findings"]
    by_topic = {finding["topic"]: finding["text"] for finding in findings}
    assert by_topic["would take"].startswith("local")
    assert "none yet" in by_topic["database"]


def test_doctor_begins_with_what_is_wrong_and_fits_80_columns(project: Project) -> None:
    (project.folder / "schema.sql").write_text("CREATE EXTENSION no_such_thing;\n")
    done = project.neonup("doctor", COLUMNS="80", PYTHONIOENCODING="utf-8")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("✗ needs")
    wrong, fine = done.stdout.split("✓", maxsplit=1)
    assert "-> " in wrong and "✗" not in fine
    assert fine.startswith(" would take")
    assert "plpgsql" not in done.stdout
    verbose = project.neonup("doctor", "--verbose", COLUMNS="80").stdout
    assert re.search(r"^ +plpgsql +1( \d)*$", verbose, re.M)
    assert max(map(len, verbose.splitlines())) <= 80


def test_doctor_names_a_file_that_git_would_publish(project: Project) -> None:
    project.command(["git", "init", "-q"])
    project.env_file.write_text("A=1\n")
    project.env_file.chmod(0o600)
    done = project.neonup("doctor")
    assert done.returncode == 1
    assert "git does not ignore .env" in done.stdout
    (project.folder / ".gitignore").write_text(".env\n")
    assert project.neonup("doctor").returncode == 0


def test_a_home_that_nobody_knows_is_an_error_that_says_what_to_set(project: Project) -> None:
    said = project.fails(NEONUP_HOME="~no-such-account/state")
    assert "the home directory is not known" in said
    assert "Set NEONUP_HOME" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without an account")
def test_so_is_no_home_at_all_for_a_user_without_an_account(project: Project) -> None:
    code = "import os, neonup.settings as s; "
    code += (
        "os.setgid(54321); os.setuid(54321)\ntry: s.home()\nexcept s.SettingsError as e: print(e)"
    )
    del project.environ["NEONUP_HOME"]
    project.environ.pop("HOME", None)
    assert "the home directory is not known" in project.python(code).stdout
