"""Step 1 of the flow: what was asked for, and by whom.

Precedence: argument, then ``NEONUP_*`` variable, then ``[tool.neonup]`` in ``pyproject.toml``,
then the default. A value set nowhere is unset, and an empty variable counts as unset. Every
value remembers where it came from, so that a message can say so.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, Unpack

from neonup.errors import SettingsError

AUTO = "auto"
DEFAULT = "default"
_OFF = frozenset({"off", "0", "false", "no"})
_ON = frozenset({"on", "1", "true", "yes"})


@dataclass(frozen=True)
class Settings:
    """Everything that can be set, resolved. Relative paths are the project's.

    Args:
        project: the project's folder.
        home: where neonup keeps its own state (``NEONUP_HOME``).
        enabled: False with ``NEONUP=off``: nothing is created, woken or written.
        env: ``NEONUP_ENV``: ``development`` allows creating, ``production`` forbids it.
        provider: a provider's name, or ``auto``.
        key: the variable that holds the URL.
        env_file: the file that is read and written.
        env_keys: which lines are variables: ``all``, ``url`` (the rest are comments), or ``auto``.
        prefix: what the claim link's variable starts with.
        seed: a SQL script for a new database.
        migrate: a command for a new database, run before the seed.
        ref: the referrer that neon.new asks for.
        logical_replication: whether a new database gets ``wal_level = logical``.
        on_expiry: what to do about an expired database: ``ask`` or ``replace``.
        banner: whether a start says which database it found.
        pg_bin: a folder of Postgres programs to use before any other.
        checkpoint_migrations: whether a version is kept before Django's ``migrate`` changes it.
        git_branches: whether each git branch has data of its own.
        owner: another folder that names the same database, and whose data may be changed or
            deleted from here; ``--of`` of commands.
        sources: where each value came from, by name.
        tables: the sub-tables of ``[tool.neonup]``: the providers' own options.
    """

    project: Path
    home: Path
    enabled: bool = True
    env: str | None = None
    provider: str = AUTO
    key: str = "DATABASE_URL"
    env_file: Path = Path(".env")
    env_keys: str = AUTO
    prefix: str = ""
    seed: Path | None = None
    migrate: str | None = None
    ref: str = "neonup"
    logical_replication: bool = False
    on_expiry: str = "ask"
    banner: bool = True
    pg_bin: Path | None = None
    checkpoint_migrations: bool = False
    git_branches: bool = False
    owner: Path | None = None
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def source(self, name: str) -> str:
        """Where a value came from, in words: ``argument``, ``NEONUP_KEY``, ``pyproject.toml``."""
        return self.sources.get(name, DEFAULT)

    def option(self, provider: str, name: str) -> Any:
        """A provider's own option, or None if it is unset.

        Read from ``NEONUP_<PROVIDER>_<NAME>``, then ``[tool.neonup.<provider>]``; for ``neon.new``
        and ``url`` that is ``NEONUP_NEON_NEW_URL`` and ``[tool.neonup."neon.new"] url``.
        """
        variable = re.sub(r"\W", "_", f"NEONUP_{provider}_{name}").upper()
        return os.environ.get(variable) or self.tables.get(provider, {}).get(name)


class Arguments(TypedDict, total=False):
    """The settings that can be given as arguments; see `neonup.settings.Settings`."""

    env: str | None
    provider: str | None
    key: str | None
    env_file: Path | str | None
    env_keys: str | None
    prefix: str | None
    seed: Path | str | None
    migrate: str | None
    ref: str | None
    logical_replication: bool | None
    on_expiry: str | None
    banner: bool | None
    pg_bin: Path | str | None
    checkpoint_migrations: bool | None
    git_branches: bool | None
    owner: Path | str | None


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of neonup's own state: ``NEONUP_HOME``, or the platform's place for user data.

    For root it is ``/var/lib/neonup``: Postgres runs as an unprivileged user there, who must not
    be let into root's home.

    Raises:
        SettingsError: it begins with a home that nobody knows: of a user id without an account, as
            containers have, where ``HOME`` is not set.
    """
    chosen = environ.get("NEONUP_HOME")
    if not chosen and sys.platform != "win32" and os.geteuid() == 0:
        return Path("/var/lib/neonup")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        import platformdirs  # here, since an explicit home needs no import

        return platformdirs.user_data_path("neonup", appauthor=False)
    except RuntimeError as error:
        raise SettingsError(
            "There is no folder for neonup's state: the home directory is not known.",
            checked=[f"NEONUP_HOME: {chosen or 'not set'}", str(error)],
            remedy="Set NEONUP_HOME to a folder that you can write to.",
        ) from None


def find_project(start: Path) -> Path:
    """The project that ``start`` belongs to: the nearest folder upward that looks like one.

    That is a folder with ``manage.py``, ``pyproject.toml`` or a ``.env`` of neonup's; the search
    ends at the repository's root. Without one it is ``start`` itself.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if any(_exists(folder / name, stat.S_ISREG) for name in ("manage.py", "pyproject.toml")):
            return folder
        if _is_ours(folder / ".env"):
            return folder
        if _exists(folder / ".git"):
            break
    return start


def _exists(path: Path, is_kind: Callable[[int], bool] = bool) -> bool:
    """Whether there is something of that kind; False where this process may not look."""
    try:
        return is_kind(path.stat().st_mode)
    except OSError:
        return False


def _is_ours(env_file: Path) -> bool:
    """Whether a file of neonup's is at that path; a pipe's content is for whoever needs it."""
    try:
        if not stat.S_ISREG(env_file.stat().st_mode):
            return False
        with env_file.open("rb") as file:
            return b"# neonup: " in file.read(1 << 20)
    except OSError:
        return False


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it must be a string")
    return value


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _ON | _OFF:
        return value.lower() in _ON
    raise ValueError("it must be true or false")


def _path(value: object) -> Path:
    return Path(os.fspath(value)).expanduser()  # type: ignore[call-overload]


def _variable(value: object) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", _text(value)):
        raise ValueError("it must be a name of letters, digits and underscores")
    return _text(value)


def _prefix(value: object) -> str:
    return _variable(value) if value else ""


def _one_of(*choices: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return _text(value)

    return parse


_PARSERS: Mapping[str, Callable[[object], Any]] = {
    "env": _one_of("development", "production"),
    "provider": _text,
    "key": _variable,
    "env_file": _path,
    "env_keys": _one_of(AUTO, "all", "url"),
    "prefix": _prefix,
    "seed": _path,
    "migrate": _text,
    "ref": _text,
    "logical_replication": _flag,
    "on_expiry": _one_of("ask", "replace"),
    "banner": _flag,
    "pg_bin": _path,
    "checkpoint_migrations": _flag,
    "git_branches": _flag,
    "owner": _path,
}


def resolve(
    project: Path | str | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    **arguments: Unpack[Arguments],
) -> Settings:
    """All settings for a project; an argument that is None is unset.

    Args:
        project: the project's folder; found from the current one where it is None.
        environ: the process environment.
        arguments: values by name, as the fields of `Settings`.

    Raises:
        SettingsError: a value cannot be used, or a name is unknown.
    """
    folder = Path(project).absolute() if project is not None else find_project(Path.cwd())
    if not _exists(folder, stat.S_ISDIR):
        raise SettingsError(f"The project folder {folder} does not exist.")
    table = _tool_table(folder / "pyproject.toml")
    tables = {name: value for name, value in table.items() if isinstance(value, dict)}
    _reject_unknown({*table} - {*tables}, "pyproject.toml [tool.neonup]")
    _reject_unknown({*arguments}, "the arguments")

    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name in _PARSERS:
        variable = f"NEONUP_{name.upper()}"
        candidates = {
            "argument": arguments.get(name),
            variable: environ.get(variable) or None,
            "pyproject.toml": table.get(name),
        }
        for source, value in candidates.items():
            if value is not None:
                values[name], sources[name] = _parsed(name, value, source), source
                break
    for name in ("env_file", "seed", "owner"):
        if name in values:
            base = Path.cwd() if sources[name] == "argument" else folder
            values[name] = base / values[name]
    values.setdefault("env_file", folder / ".env")
    return Settings(
        project=folder,
        home=home(environ),
        enabled=_enabled(environ.get("NEONUP", "")),
        sources=sources,
        tables=tables,
        **values,
    )


def _enabled(value: str) -> bool:
    """Whether ``NEONUP`` leaves neonup on; what it does not know might have meant off."""
    try:
        return not value or _flag(value)
    except ValueError:
        raise SettingsError(
            f"NEONUP={value} is neither on nor off.",
            remedy="Set NEONUP=off so that nothing is created, woken or written, or unset it.",
        ) from None


def _parsed(name: str, value: object, source: str) -> Any:
    try:
        return _PARSERS[name](value)
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"The setting {name} = {value!r} (from {source}) cannot be used: {error}."
        ) from None


def _tool_table(pyproject: Path) -> dict[str, Any]:
    try:
        content = pyproject.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return {}
    except OSError as error:  # what it says, to create nothing for example, is not known
        raise SettingsError(f"{pyproject} cannot be read: {error.strerror}.") from None
    if b"tool.neonup" not in content:  # parsing a long file would cost every start
        return {}
    import tomllib

    try:
        table = tomllib.loads(content.decode()).get("tool", {}).get("neonup", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{pyproject} is not valid TOML: {error}.") from None
    if not isinstance(table, dict):
        raise SettingsError(f"tool.neonup in {pyproject} is not a table.")
    return table


def _reject_unknown(names: set[str], where: str) -> None:
    for name in sorted(names - _PARSERS.keys()):
        import difflib

        close = difflib.get_close_matches(name, _PARSERS)
        raise SettingsError(
            f"{where} has an unknown setting {name!r}.",
            remedy=f"Did you mean {close[0]!r}?"
            if close
            else f"The settings are {', '.join(_PARSERS)}.",
        )
