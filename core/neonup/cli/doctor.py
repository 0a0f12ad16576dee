"""``doctor``: what is wrong and how to fix it, then what was found and would be taken, and why."""

from __future__ import annotations

import os
import platform
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from neonup import plugins
from neonup.cli import options, output
from neonup.contributions import Finding
from neonup.database import USER, State
from neonup.env import dotenv
from neonup.env.exposure import exposures
from neonup.errors import NeonupError, SettingsError
from neonup.postgres import libpq
from neonup.providers import registry
from neonup.providers.registry import provider_class
from neonup.settings import Settings, check_names
from neonup.start import announce, lookup, owner, permission, unanswered


@click.command()
@options.database_options
@click.option("--verbose", is_flag=True, help="Also which engine has which extension.")
@output.json_option
def doctor(verbose: bool, **arguments: Any) -> None:
    """Show what is wrong, with its remedy; then what would be used, and why."""
    settings = options.start(**arguments).settings
    findings = [finding for look in _LOOKS for finding in look(settings)]
    hook = plugins.create_plugin_manager().hook.neonup_doctor
    for more in hook(settings=settings, verbose=verbose):
        findings += more
    wrong = [finding for finding in findings if finding.remedy]
    if output.wants_json():
        output.emit({"findings": [vars(finding) for finding in findings], "ok": not wrong})
    else:
        _print(findings)
    click.get_current_context().exit(1 if wrong else 0)


def _print(findings: list[Finding]) -> None:
    """What is wrong first, then what counts most; in a terminal no wider than 80 columns."""
    width = max(len(finding.topic) for finding in findings)
    columns = min(shutil.get_terminal_size((0, 0)).columns, 80)  # 0: it is read by a program
    wrapper = textwrap.TextWrapper(max(columns - width - 4, 20), break_on_hyphens=False)

    def order(finding: Finding) -> tuple[bool, int]:
        ranked = finding.topic in _FIRST
        return not finding.remedy, _FIRST.index(finding.topic) if ranked else len(_FIRST)

    for finding in sorted(findings, key=order):
        colour, sign = ("red", "✗") if finding.remedy else ("green", "✓")
        lines = finding.text.splitlines()
        if finding.remedy:
            lines.append(f"-> {finding.remedy}")
        if columns:
            lines = [part for line in lines for part in wrapper.wrap(line) or [""]]
        click.echo(f"{output.style(sign, fg=colour)} {finding.topic.ljust(width)}  {lines[0]}")
        for line in lines[1:]:
            click.echo(f"  {' ' * width}  {line}")


def _machine(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()} on {platform.platform()}")
    state = "writable" if _can_write(settings) else "not writable"
    yield Finding(
        "home",
        f"{settings.home} ({state})",
        None if state == "writable" else "Set NEONUP_HOME to a folder that you can write to.",
    )


def _can_write(settings: Settings) -> bool:
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


def _project(settings: Settings) -> Iterator[Finding]:
    yield Finding("project", str(settings.project))
    for name, source in settings.sources.items():
        yield Finding("setting", f"{name} = {getattr(settings, name)} (from {source})")
    exported = lookup.is_exported(settings, os.environ)
    try:
        file = lookup.file_of(settings, pipes=not exported)
        dotenv.read(file, pipes=not exported)
        dotenv.check_writable(file)
    except NeonupError as error:
        if exported:
            reason = f"{settings.key} is set in the environment"
            yield Finding("env file", f"{error.message} None is needed: {reason}.")
        else:
            yield Finding("env file", error.message, error.remedy)
        return
    yield Finding("env file", str(file))
    for exposure in exposures(file):
        yield Finding("env file", exposure.text, exposure.remedy)


def _permission(settings: Settings) -> Iterator[Finding]:
    """Whether a database may be created, and by which provider it would be."""
    is_set = lookup.find_database(settings) is not None  # then none has to be created
    need = f"{settings.key} is set" if is_set else None
    try:
        allowed = permission.ask(settings, options.SIGN, need=need, environ=os.environ)
    except NeonupError as error:
        yield Finding("may create", f"no: {error.message}", None if is_set else error.remedy)
        return
    limit = f"; {allowed.local_only}" if allowed.local_only else ""
    yield Finding("may create", f"yes: {allowed.sign}{limit}")
    try:
        chosen, why = registry.choose_provider(settings, local_only=allowed.local_only)
    except NeonupError as error:
        remedy = error.remedy or "No database can be created here."
        yield Finding("would take", error.message, None if is_set else remedy)
        return
    yield Finding("would take", f"{chosen.name} ({why})")


def _database(settings: Settings) -> Iterator[Finding]:
    database = lookup.find_database(settings)
    if database is None:
        yield Finding("database", f"none yet: no {settings.key} in the environment or .env")
        return
    text = f"{announce.describe(database)}, from {database.source}"
    if database.provider == USER:
        where = unanswered.unanswered(database)
        words = unanswered.remedy(settings)
        remedy = where and f"{words[:1].upper()}{words[1:]}."
        yield Finding("database", f"{text}: {where}" if where else text, remedy)
        return
    try:
        state = provider_class(database.provider)(settings).check(database)
    except NeonupError as error:
        yield Finding("database", f"{text}: {error.message}", error.remedy)
        return
    remedies = {
        State.EXPIRED: "`neonup --force` creates a new one.",
        State.REVOKED: "`neonup claim` gives a new code; a finished claim brings a new URL.",
        State.MISSING: "`neonup` creates it again, empty.",
    }
    yield Finding("database", f"{text}: {state}", remedies.get(state))
    other = owner.settle(settings, database)
    if other is not None:
        yield Finding(
            "belongs to",
            f"{other}: a file there names this database, too",
            "`neonup fork` gives this folder a database of its own, with a copy of the data.",
        )


def _variables(settings: Settings) -> Iterator[Finding]:
    """What libpq adds to the application's connections, whatever the URL is."""
    database = lookup.find_database(settings)
    for name in libpq.met(database.url, os.environ) if database else []:
        text = f"{name} is set: libpq adds it to what {settings.key} says, for the application too"
        yield Finding("libpq", text, f"unset {name}" if database and database.own else None)


def _providers(settings: Settings) -> Iterator[Finding]:
    manager = plugins.create_plugin_manager()
    for name, plugin in manager.list_name_plugin():
        if plugin is not None:
            yield Finding("plugin", name)
    try:
        check_names(settings.tables, plugged=registry.plugged_options(manager))
    except SettingsError as error:
        yield Finding("settings", error.message, error.remedy)
    for name, offered in registry.provider_classes(manager).items():
        provider = offered(settings)
        try:
            reason = provider.unavailable()
            yield Finding("provider", f"{name}: {reason or 'can be used'}")
            for fact in provider.facts():
                yield Finding(f"  {name}", fact)
        except SettingsError as error:
            yield Finding("provider", f"{name}: {error.message}", error.remedy or "Correct it.")


_LOOKS = (_machine, _project, _permission, _database, _variables, _providers)
_FIRST = ("would take", "database", "may create", "env file", "setting")
"""What is shown before the rest, in this order."""
