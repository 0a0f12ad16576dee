"""What can be set of the provider ``account``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from neonup import Settings, SettingsError

NAME = "account"
T = TypeVar("T")
_OTHERS = {"url": "NEON_API_HOST", "project": "NEON_PROJECT_ID", "org": "NEON_ORG_ID"}
"""Variables of Neon's own clients, which are read where ours are not set."""
_YES = frozenset({"on", "1", "true", "yes"})
_NO = frozenset({"off", "0", "false", "no"})


@dataclass(frozen=True)
class Options:
    """The options, resolved; for each the variable ``NEONUP_ACCOUNT_<NAME>`` wins.

    Args:
        url: where Neon's API is, up to and with ``/api/v2``.
        project: an existing project: the database is a new branch of it. None: a new project.
        org: the organization whose projects are meant; None: the key's own.
        region: where a new project is, e.g. ``aws-us-east-2``.
        pg_version: Postgres's major version of a new project.
        branch: the name of a new branch.
        database: which database of a branch, where it has several.
        claimable: whether a new project is offered to whoever has its claim link.
        claim_seconds: how long a claim link is good.
        claim_redirect: the web page where the new owner goes after a claim.
    """

    url: str | None = None
    project: str | None = None
    org: str | None = None
    region: str | None = None
    pg_version: int | None = None
    branch: str | None = None
    database: str | None = None
    claimable: bool = False
    claim_seconds: int | None = None
    claim_redirect: str | None = None


def resolve(settings: Settings) -> Options:
    """The options of a project's settings.

    Raises:
        SettingsError: one has a value that cannot be used.
    """

    def read(name: str, parse: Callable[[Any], T]) -> T | None:
        other = _OTHERS.get(name, "")
        value = settings.option(NAME, name)
        if value is None or value == "":
            value = os.environ.get(other) or None
        if value is None:
            return None
        try:
            return parse(value)
        except (ValueError, TypeError) as error:
            variable = f"NEONUP_{NAME}_{name}".upper()
            raise SettingsError(
                f"The option {name} of the provider {NAME}, {value!r}, cannot be used: {error}.",
                remedy=f"Correct {variable}, or {name} in [tool.neonup.{NAME}]"
                f"{f', or {other}' if other else ''}.",
            ) from None

    return Options(
        url=read("url", _text),
        project=read("project", _id),
        org=read("org", _id),
        region=read("region", _text),
        pg_version=read("pg_version", _positive),
        branch=read("branch", _text),
        database=read("database", _text),
        claimable=bool(read("claimable", _flag)),
        claim_seconds=read("claim_seconds", _positive),
        claim_redirect=read("claim_redirect", _text),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it must be a string")
    return value.strip()


def _id(value: object) -> str:
    text = _text(value)
    if not text.isascii() or not text.replace("-", "").isalnum():  # as Neon's document says
        raise ValueError("an id has letters, digits and dashes")
    return text


def _positive(value: object) -> int:
    number = int(value) if isinstance(value, str) else value
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise ValueError("it must be a positive number")
    return number


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _YES | _NO:
        return value.lower() in _YES
    raise ValueError("it must be true or false")
