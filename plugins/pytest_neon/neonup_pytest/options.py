"""What can be set: in pytest's ini file, on the command line, by a marker."""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from neonup_pytest.activation import UNSET, Env, Unset

FIXTURES = frozenset(
    {
        *("neon_url", "neon_db", "neon_connection", "neon_async_connection", "neon_engine"),
        *("neon_async_engine", "neon_session", "neon_db_factory", "neon_branch"),
        "neon_server_url",
    }
)
"""Who asks for one of these uses the tests' server."""

_SHARED = "_neon_shared"
"""The fixture that a test is given which wants the URL, but no database of its own."""
_APPLICATION = "_neon_application"
"""The fixture that a test is given which wants nothing, but may use the application."""

C = TypeVar("C", bound=enum.StrEnum)

_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"

PROVIDERS = ("local", "account")
"""Whose servers tests can run on."""


class Isolation(enum.StrEnum):
    """How a test is kept apart from the others."""

    DATABASE = "database"
    """A database of its own."""
    TRANSACTION = "transaction"
    """One database for all; what goes through the fixtures is rolled back."""
    SHARED = "shared"
    """One database for all; what a test leaves stays."""


class Autouse(enum.StrEnum):
    """What a test has that asks for no database, behind the URL that the application has."""

    SHARED = "shared"
    """The run's one, which all such tests share."""
    DATABASE = "database"
    """A database of its own, as if it asked for ``neon_db``."""


class Keep(enum.StrEnum):
    """Which tests' databases outlive the run."""

    FAILED = "failed"
    ALL = "all"
    NONE = "none"


def add(parser: pytest.Parser) -> None:
    """Declare them to pytest."""
    group = parser.getgroup("neonup")
    group.addoption(
        "--neon-rebuild",
        action="store_true",
        help="rebuild the template database instead of reusing the last run's",
    )
    group.addoption(
        "--neon-keep",
        choices=[choice.value for choice in Keep],
        default=Keep.FAILED.value,
        help="which tests' databases are kept after the run (default: %(default)s)",
    )
    group.addoption(
        "--neon-provider",
        choices=PROVIDERS,
        help="where tests run: local, or account: on a branch of a project of your Neon account",
    )
    parser.addini("neon_provider", f"one of {', '.join(PROVIDERS)}", "string", "local")
    parser.addini("neon_parent", "the branch that the run's branch is made of", "string", "")
    parser.addini("neon_env", "variables that the application reads its URL from", "args", UNSET)
    parser.addini("neon_dialect", "the scheme of its URL, e.g. postgresql+asyncpg", "string", "")
    parser.addini("neon_schema", "SQL files that create the schema", "args", [])
    parser.addini(
        "neon_migrate", "a command, or module:function, that creates the schema", "string", ""
    )
    parser.addini(
        "neon_migrate_files", "glob patterns of the files that neon_migrate depends on", "args", []
    )
    parser.addini("neon_isolation", f"one of {', '.join(Isolation)}", "string", "database")
    parser.addini(
        "neon_autouse",
        f"what tests have that ask for no database: {', '.join(Autouse)}",
        "string",
        Autouse.SHARED.value,
    )


class PytestOptions(NamedTuple):
    """The values of the ini file and of the command line."""

    env: Env
    dialect: str | None
    migrate_files: tuple[str, ...]
    isolation: Isolation
    autouse: Autouse
    keep: Keep
    rebuild: bool
    provider: str
    parent: str | None


def read(config: pytest.Config) -> PytestOptions:
    """The values that hold for the run.

    Raises:
        pytest.UsageError: one cannot be used.
    """
    return PytestOptions(
        env=env(config),
        dialect=config.getini("neon_dialect") or None,
        migrate_files=tuple(config.getini("neon_migrate_files")),
        isolation=_choice(Isolation, config.getini("neon_isolation"), "neon_isolation"),
        autouse=autouse(config),
        keep=Keep(config.known_args_namespace.neon_keep),
        rebuild=bool(config.known_args_namespace.neon_rebuild),
        provider=_provider(config),
        parent=config.getini("neon_parent") or None,
    )


def _provider(config: pytest.Config) -> str:
    provider = config.known_args_namespace.neon_provider or config.getini("neon_provider")
    if provider not in PROVIDERS:
        raise pytest.UsageError(
            f"neon_provider is {provider!r}; it is one of {', '.join(PROVIDERS)}."
        )
    return str(provider)


def env(config: pytest.Config) -> Env:
    """The variables that ``neon_env`` names; `UNSET` where the ini file does not have it.

    Raises:
        pytest.UsageError: it is something else than names of variables.
    """
    value: object = config.getini("neon_env")
    if isinstance(value, Unset):
        return value
    if not isinstance(value, list):
        raise pytest.UsageError(
            f"pytest {pytest.__version__} answers {value!r} for neon_env, so nobody can tell which "
            "variables lead to the application's database.\n"
            "neonup-pytest does not work with this version, or a plugin has changed the option."
        )
    for name in value:
        if not re.fullmatch(_VARIABLE, str(name)):
            raise pytest.UsageError(
                f"neon_env names {name!r}, which is no variable's name: it takes names of letters, "
                "digits and underscores with spaces between them."
            )
    return tuple(map(str, value))


def has_pytest_django(plugins: pytest.PytestPluginManager) -> bool:
    """Whether pytest-django is active, by its entry point or by ``-p``."""
    return any(plugins.has_plugin(name) for name in ("django", "pytest_django.plugin"))


def schema(config: pytest.Config) -> list[Path | str]:
    """What makes the schema: the SQL files of ``neon_schema``, then ``neon_migrate``."""
    migrate = config.getini("neon_migrate")
    return [*map(Path, config.getini("neon_schema")), *([migrate] if migrate else [])]


def fixtures_of(item: pytest.Item) -> frozenset[str]:
    """The fixtures that a test is known to use before it runs."""
    return frozenset(getattr(item, "fixturenames", ()))


def fixture_for(item: pytest.Item, autouse: Autouse, serves: bool) -> str | None:
    """The fixture of ours that a test is given before all others.

    Args:
        item: the test.
        autouse: what tests have that ask for no database.
        serves: whether such tests find one behind the application's URL.

    Returns:
        None: it has one already, or shall have none.
    """
    asked_for = fixtures_of(item)
    if {"neon_db", _SHARED, _APPLICATION} & asked_for or not hasattr(item, "fixturenames"):
        return None
    if autouse is Autouse.DATABASE:
        return "neon_db"
    if FIXTURES & asked_for:
        return _SHARED
    return _APPLICATION if serves else None


def isolation_of(item: pytest.Item, default: Isolation) -> Isolation:
    """What ``@pytest.mark.neon(isolation=...)`` says, the nearest one, else the default.

    Raises:
        pytest.UsageError: it says something else.
    """
    marker = item.get_closest_marker("neon")
    if marker is None:
        return default
    if marker.args or set(marker.kwargs) != {"isolation"}:
        raise pytest.UsageError("@pytest.mark.neon takes isolation=..., and nothing else.")
    return _choice(Isolation, marker.kwargs["isolation"], "@pytest.mark.neon(isolation=...)")


def autouse(config: pytest.Config) -> Autouse:
    """What ``neon_autouse`` says.

    Raises:
        pytest.UsageError: it says something else.
    """
    return _choice(Autouse, config.getini("neon_autouse"), "neon_autouse")


def _choice(choices: type[C], value: object, where: str) -> C:
    try:
        return choices(str(value))
    except ValueError:
        raise pytest.UsageError(
            f"{where} is {value!r}; it is one of {', '.join(choices)}."
        ) from None
