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

from neonup import NeonupError, emit, json_option, wants_json
from neonup.plugin import commands
from neonup_templates.templates import NAMES, Question, Template, template

_HELP = {
    "django": "A Django site: HTMX pages or an API.",
    "fastapi": "A FastAPI service with SQLAlchemy or SQLModel.",
    "provider": "A plugin that provides databases for neonup, ready to publish.",
}


class Templates(commands.CommandGroup):
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


def _command(template: Template) -> click.Command:
    def create(name: str, yes: bool, folder: Path, **chosen: str | None) -> None:
        _create(template, name, folder, _answers(template, chosen, ask=not yes))

    options: list[click.Parameter] = [
        click.Argument(["name"]),
        *map(_option, template.questions),
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
    help_ = _HELP[template.name]
    return json_option(click.Command(template.name, callback=create, params=options, help=help_))


def _option(question: Question) -> click.Option:
    kind = commands.Choice(question.values, case_sensitive=False)
    return click.Option([f"--{question.name}"], type=kind, help=f"{question.prompt}.")


def _answers(template: Template, chosen: dict[str, str | None], *, ask: bool) -> dict[str, str]:
    """The answer to each question: the option's, the person's, or the default."""
    ask = ask and sys.stdin.isatty() and not wants_json()
    answers = {}
    for question in template.questions:
        answer = chosen[question.name]
        if answer is None:
            answer = _ask(question) if ask else question.values[0]
        answers[question.name] = answer
    return answers


def _ask(question: Question) -> str:
    kind = commands.Choice(question.values, case_sensitive=False)
    answer: str = click.prompt(question.prompt, type=kind, default=question.values[0], err=True)
    return answer


def _create(template: Template, name: str, folder: Path, answers: dict[str, str]) -> None:
    project = _generate(template, folder, {"project_name": name, **answers})
    if wants_json():
        emit({"template": template.name, "folder": str(project), **answers})
        return
    current = Path.cwd()
    shown = project.relative_to(current) if project.is_relative_to(current) else project
    commands.tell([f"created {shown}", f"-> cd {shlex.quote(str(shown))}", f"-> {template.start}"])


def _generate(template: Template, folder: Path, answers: dict[str, str]) -> Path:
    """Run cookiecutter as if nobody had configured it, so that a template makes one thing."""
    # They take longer to import than all the rest of the command, which may only print its help.
    from cookiecutter import exceptions  # type: ignore[import-untyped]
    from cookiecutter.main import cookiecutter  # type: ignore[import-untyped]
    from jinja2 import TemplateError  # cookiecutter's, which takes a name for a template

    try:
        with _no_configuration() as config:
            project = cookiecutter(
                str(template.folder),
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
    except exceptions.FailedHookException:  # the hook has printed the reason
        raise NeonupError("Nothing was created.", remedy="Choose another name.") from None
    except (exceptions.CookiecutterException, TemplateError, OSError) as error:
        raise NeonupError(f"Nothing was created: {error}") from None
    return Path(project)


@contextmanager
def _no_configuration() -> Iterator[Path]:
    """A configuration file that keeps cookiecutter out of the user's home.

    Cookiecutter would write there, leaves behind the files of its hooks, and logs with a traceback
    what it also raises.
    """
    logger = logging.getLogger("cookiecutter")
    silence = logging.NullHandler()
    logger.addHandler(silence)
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        config = Path(folder, "config.yaml")
        quoted = json.dumps(folder)  # which is YAML as well
        config.write_text(f"cookiecutters_dir: {quoted}\nreplay_dir: {quoted}\n", "utf-8")
        try:
            yield config
        finally:
            tempfile.tempdir = before
            logger.removeHandler(silence)
