"""``manage.py neonup``: neonup's command line, for a database of the settings."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

import neonup
from django_neon import development, place
from django_neon.entry import is_ours


class Command(BaseCommand):
    """Hands its arguments to ``neonup``, which finds the database as Django does."""

    help = "Run neonup for a database of DATABASES: status, claim, reset, url, psql, ..."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Take ``--database`` and leave all other arguments, ``--help`` included, to neonup."""
        alias, arguments = _database(argv[2:])
        try:
            _choose(alias)
        except CommandError as error:
            self.stderr.write(f"{error.__class__.__name__}: {error}")
            sys.exit(error.returncode)
        sys.argv = ["neonup", *arguments]
        runpy.run_module("neonup", run_name="__main__")

    def handle(self, *args: Any, **options: Any) -> None:
        """For ``call_command``, which neonup's own functions serve better."""
        raise CommandError("From Python, call neonup.ensure() or neonup.find().")


def _database(arguments: list[str]) -> tuple[str, list[str]]:
    for index, word in enumerate(arguments):
        if word == "--":
            break
        if word == "--database" and index + 1 < len(arguments):
            return arguments[index + 1], arguments[:index] + arguments[index + 2 :]
        if word.startswith("--database="):
            return word.partition("=")[2], arguments[:index] + arguments[index + 1 :]
    return "default", arguments


def _choose(alias: str) -> None:
    """Lead neonup to a database, by its variables and the current folder."""
    from django.conf import settings

    entry = settings.DATABASES.get(alias, {})
    if not is_ours(entry):
        raise CommandError(f"DATABASES[{alias!r}] does not come from django_neon.database().")
    described = entry["NEON"]
    variables = place.arguments(described)
    if described.get("on_create"):
        variables["migrate"] = development.migrate_command(alias)
    project = variables.pop("project")
    if project is not None and neonup.find_project(Path.cwd()) != project:
        os.chdir(project)
    for name, value in variables.items():
        if value is not None:
            os.environ[f"NEONUP_{name.upper()}"] = str(value)
