"""Where the templates are: in the wheel, or in the repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neonup.errors import NeonupError

NAMES = ("django", "fastapi", "provider")


@dataclass(frozen=True)
class Choice:
    """A question of a template's.

    Args:
        name: the variable.
        prompt: the question, for a person.
        values: the answers; the first one is the default.
    """

    name: str
    prompt: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """A cookiecutter template.

    Args:
        name: one of `NAMES`.
        folder: the one with its ``cookiecutter.json``.
        choices: its questions beside the project's name.
        start: the command that starts what it creates.
    """

    name: str
    folder: Path
    choices: tuple[Choice, ...]
    start: str


def folder() -> Path:
    """The folder with the templates, each of which ``cookiecutter`` takes as well.

    Raises:
        NeonupError: there is none: neonup was not installed from a wheel of its own.
    """
    places = (Path(__file__).with_name("_templates"), Path(__file__).parents[2] / "templates")
    for place in places:
        if all((place / name / "cookiecutter.json").is_file() for name in NAMES):
            return place
    raise NeonupError(
        "The templates are missing.",
        checked=[str(place) for place in places],
        remedy="pip install --force-reinstall neonup",
    )


def template(name: str) -> Template:
    """One of the templates, as its ``cookiecutter.json`` says.

    Raises:
        NeonupError: it is not there.
    """
    where = folder() / name
    content = json.loads((where / "cookiecutter.json").read_text("utf-8"))
    prompts = content["__prompts__"]
    choices = (
        Choice(variable, _prompt(prompts[variable]), tuple(values))
        for variable, values in content.items()
        if isinstance(values, list) and not variable.startswith("_")
    )
    return Template(name, where, tuple(choices), content["_start"])


def _prompt(described: str | Mapping[str, str]) -> str:
    return described if isinstance(described, str) else described["__prompt__"]
