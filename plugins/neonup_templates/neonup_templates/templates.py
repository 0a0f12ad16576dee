"""Where the templates are: in the wheel, or in the repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from neonup import NeonupError

NAMES = ("django", "fastapi", "provider")


@dataclass(frozen=True)
class Question:
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
        questions: what it asks beside the project's name.
        start: the command that starts what it creates.
    """

    name: str
    folder: Path
    questions: tuple[Question, ...]
    start: str


def folder() -> Path:
    """The folder with the templates, each of which ``cookiecutter`` takes as well.

    Raises:
        NeonupError: the templates are missing, since this was not installed from a wheel.
    """
    places = (Path(__file__).with_name("_templates"), Path(__file__).parents[3] / "templates")
    for place in places:
        if all((place / name / "cookiecutter.json").is_file() for name in NAMES):
            return place
    raise NeonupError(
        "The templates are missing.",
        checked=[str(place) for place in places],
        remedy="pip install --force-reinstall neonup-templates",
    )


def template(name: str) -> Template:
    """One of the templates, as its ``cookiecutter.json`` says.

    Raises:
        NeonupError: the templates are missing.
    """
    place = folder() / name
    content = json.loads((place / "cookiecutter.json").read_text("utf-8"))
    prompts = content["__prompts__"]
    questions = (
        Question(variable, _prompt(prompts[variable]), tuple(values))
        for variable, values in content.items()
        if isinstance(values, list) and not variable.startswith("_")
    )
    return Template(name, place, tuple(questions), content["_start"])


def _prompt(described: str | Mapping[str, str]) -> str:
    return described if isinstance(described, str) else described["__prompt__"]
