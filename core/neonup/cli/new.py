"""``neonup new``: a project from a template."""

from __future__ import annotations

import json
import logging
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from neonup import extras
from neonup.cli import output
from neonup.errors import NeonupError
from neonup.templates import NAMES, Choice, Template, template

_HELP = {
    "django": "A Django site: HTMX pages or an API.",
    "fastapi": "A FastAPI service with SQLAlchemy or SQLModel.",
    "provider": "A plugin that provides databases for neonup, ready to publish.",
}


class Templates(click.Group):
    """A command for each template, with its questions as options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The templates."""
        return list(NAMES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command that creates a project from a template."""
        return _command(template(name)) if name in NAMES else None


@click.group(cls=Templates)
def new() -> None:
    """Create a new project from a template, with everything in place."""


def _command(found: Template) -> click.Command:
    def make(name: str, yes: bool, folder: Path, **chosen: str | None) -> None:
        _make(found, name, folder, _answers(found, chosen, ask=not yes))

    options: list[click.Parameter] = [
        click.Argument(["name"]),
        *map(_option, found.choices),
        click.Option(
            ["-o", "--output-dir", "folder"],
            type=click.Path(file_okay=False, path_type=Path),
            default=".",
            metavar="FOLDER",
            help="The folder to create the project in; the current one by default.",
        ),
        click.Option(
            ["-y", "--yes", "--no-input", "yes"],
            is_flag=True,
            help="Do not ask: use the defaults for whatever was not chosen.",
        ),
    ]
    command = click.Command(found.name, callback=make, params=options, help=_HELP[found.name])
    return output.json_option(command)


def _option(choice: Choice) -> click.Option:
    kind = click.Choice(choice.values, case_sensitive=False)
    return click.Option([f"--{choice.name}"], type=kind, help=f"{choice.prompt}.")


def _answers(found: Template, chosen: dict[str, str | None], *, ask: bool) -> dict[str, str]:
    """What was chosen, asked, or is the default."""
    ask = ask and sys.stdin.isatty() and not output.wants_json()
    answers = {}
    for choice in found.choices:
        answer = chosen[choice.name]
        if answer is None:
            answer = _ask(choice) if ask else choice.values[0]
        answers[choice.name] = answer
    return answers


def _ask(choice: Choice) -> str:
    kind = click.Choice(choice.values, case_sensitive=False)
    answer: str = click.prompt(choice.prompt, type=kind, default=choice.values[0], err=True)
    return answer


def _make(found: Template, name: str, folder: Path, answers: dict[str, str]) -> None:
    made = _generate(found, folder, {"project_name": name, **answers})
    if output.wants_json():
        output.emit({"template": found.name, "folder": str(made), **answers})
        return
    here = Path.cwd()
    shown = made.relative_to(here) if made.is_relative_to(here) else made
    output.tell([f"created {shown}", f"-> cd {shlex.quote(str(shown))}", f"-> {found.start}"])


def _generate(found: Template, folder: Path, answers: dict[str, str]) -> Path:
    """Run cookiecutter as if nobody had configured it, so that a template makes one thing."""
    try:
        from cookiecutter import exceptions  # type: ignore[import-untyped]
        from cookiecutter.main import cookiecutter  # type: ignore[import-untyped]
        from jinja2 import TemplateError  # cookiecutter's, which takes a name for a template
    except ModuleNotFoundError:
        raise NeonupError(
            "`neonup new` needs cookiecutter, which is not installed.",
            remedy=extras.install("templates"),
        ) from None
    try:
        with _scratch() as config:
            made = cookiecutter(
                str(found.folder),
                no_input=True,
                extra_context=answers,
                output_dir=str(folder),
                config_file=str(config),
            )
    except exceptions.OutputDirExistsException as error:
        raise NeonupError(
            f"Nothing was created: {str(error).removeprefix('Error: ')}.",
            remedy="Choose another name, or another folder with --output-dir.",
        ) from None
    except exceptions.FailedHookException:  # which has said why
        raise NeonupError("Nothing was created.", remedy="Choose another name.") from None
    except (exceptions.CookiecutterException, TemplateError, OSError) as error:
        raise NeonupError(f"Nothing was created: {error}") from None
    return Path(made)


@contextmanager
def _scratch() -> Iterator[Path]:
    """A configuration for cookiecutter, which would write to its user's home, and for its hooks,
    which it leaves behind; it logs what fails with a traceback as well."""
    logger = logging.getLogger("cookiecutter")
    silence = logging.NullHandler()
    logger.addHandler(silence)
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        config = Path(folder, "config.yaml")
        where = json.dumps(folder)  # which is YAML as well
        config.write_text(f"cookiecutters_dir: {where}\nreplay_dir: {where}\n", "utf-8")
        try:
            yield config
        finally:
            tempfile.tempdir = before
            logger.removeHandler(silence)
