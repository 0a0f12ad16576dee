"""Step 1 of the flow: what was asked for, and by whom.

Precedence: argument, then ``NEONUP_*`` variable, then ``[tool.neonup]`` in ``pyproject.toml``,
then the default. A value set nowhere is unset, and an empty variable counts as unset. Every
value remembers where it came from, so that a message can say so.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Unpack

from neonup import options
from neonup.errors import SettingsError
from neonup.options import names, one_of, option, prefix, url_scheme, variable_name, words
from neonup.values import Value

if TYPE_CHECKING:
    from neonup.arguments import Arguments

AUTO = "auto"
DEFAULT = "default"


class Settings(Value, secret=("sources", "tables")):
    """Everything that can be set, resolved. Relative paths are the project's.

    Args:
        project: the project's folder.
        home: where neonup keeps its own state (``NEONUP_HOME``).
        enabled: False with ``NEONUP=off``: nothing is created, woken or written.
        env: ``NEONUP_ENV``: ``development`` allows creating, ``production`` forbids it.
        provider: a provider's name, or ``auto``.
        key: the variable that holds the URL.
        url_scheme: what the URL begins with: ``postgres``, ``postgresql+asyncpg``; None: as the
            provider has it, ``postgresql``.
        env_file: the file that is read and written.
        env_keys: which lines are variables: ``all``, ``url`` (the rest are comments), or ``auto``.
        prefix: what the claim link's variable starts with.
        seed: a SQL script for a new database.
        migrate: a command for a new database, run before the seed.
        migrate_on: when ``migrate`` runs: for a ``new`` database, or at each ``start`` as well.
        ref: the referrer that the services of unclaimed databases ask for.
        logical_replication: whether a new database gets ``wal_level = logical``.
        on_expiry: what to do about an expired database: ``ask`` or ``replace``.
        banner: whether a start says which database it found.
        pg_bin: a folder of Postgres programs to use before any other.
        postgres: the major version of Postgres that a new database gets, here or in the account.
        extensions: what is created in a new database, and decides on its engine on this machine.
        checkpoint_migrations: whether a version is kept before Django's ``migrate`` changes it.
        git_branches: whether each git branch has data of its own.
        owner: another folder that names the same database, and whose data may be changed or
            deleted from here; ``--of`` of commands.
        variables: ``[tool.neonup.variables]``: templates of more variables, by name; empty where
            ``key`` is an argument and not the project's own key.
        sources: where each value came from, by name.
        tables: the sub-tables of ``[tool.neonup]``, as `neonup.Options` reads them.
    """

    project: Path
    home: Path
    enabled: bool = True
    env: str | None = option(one_of("development", "production"))
    provider: str = option(words, AUTO)
    key: str = option(variable_name, "DATABASE_URL")
    url_scheme: str | None = option(url_scheme)
    env_file: Path = option(Path, Path(".env"))
    env_keys: str = option(one_of(AUTO, "all", "url"), AUTO)
    prefix: str = option(prefix, "")
    seed: Path | None = option(Path)
    migrate: str | None = option(words)
    migrate_on: str = option(one_of("new", "start"), "new")
    ref: str = option(words, "neonup")
    logical_replication: bool = option(bool, default=False)
    on_expiry: str = option(one_of("ask", "replace"), "ask")
    banner: bool = option(bool, default=True)
    pg_bin: Path | None = option(Path)
    postgres: int | None = option(int)
    extensions: tuple[str, ...] = option(names("vector", "postgis"), ())
    checkpoint_migrations: bool = option(bool, default=False)
    git_branches: bool = option(bool, default=False)
    owner: Path | None = option(Path)
    variables: Mapping[str, str] = MappingProxyType({})
    sources: Mapping[str, str] = MappingProxyType({})
    tables: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

    @property
    def state_name(self) -> str:
        """What neonup's own files about this key of this project's ``.env`` are called."""
        return state_name(self.project, self.env_file, self.key)

    def source(self, name: str) -> str:
        """Where a value came from, in words: ``argument``, ``NEONUP_KEY``, ``pyproject.toml``."""
        return self.sources.get(name, DEFAULT)


_DECLARED = options.declared(Settings)
_VARIABLES = {name: f"NEONUP_{name.upper()}" for name in _DECLARED}
_OTHERS = frozenset(
    {
        *("NEONUP_ANNOUNCED", "NEONUP_CONSOLE_URL", "NEONUP_FINISHING", "NEONUP_HOME"),
        *("NEONUP_MARKS", "NEONUP_MCP_TOKEN", "NEONUP_OAUTH_CLIENT_ID"),
        *_VARIABLES.values(),
    }
)
"""Variables that begin with ``NEONUP_`` and are no table's options."""


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
        return _user_data(environ) / "neonup"
    except RuntimeError as error:
        raise SettingsError(
            "There is no folder for neonup's state: the home directory is not known.",
            checked=[f"NEONUP_HOME: {chosen or 'not set'}", str(error)],
            remedy="Set NEONUP_HOME to a folder that you can write to.",
        ) from None


def _user_data(environ: Mapping[str, str]) -> Path:
    """The platform's folder for a user's data.

    On Linux it follows https://specifications.freedesktop.org/basedir-spec/latest/. Raises
    RuntimeError where the home directory is not known.
    """
    if sys.platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return Path(local) if local else Path.home() / "AppData/Local"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support"
    chosen = environ.get("XDG_DATA_HOME", "").strip()
    return Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".local/share"


def state_name(project: Path, env_file: Path, key: str) -> str:
    """A file name for a key of a project's ``.env``; the same however the path is written."""
    place = f"{os.path.realpath(env_file)}\n{key}"
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in project.name[:20])
    return f"{name or 'project'}-{zlib.crc32(os.fsencode(place)):08x}"


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
        SettingsError: a value cannot be used, or a name of a setting, an option, a table or a
            variable is unknown.
    """
    folder = Path(project).absolute() if project is not None else find_project(Path.cwd())
    if not _exists(folder, stat.S_ISDIR):
        raise SettingsError(f"The project folder {folder} does not exist.")
    table = _tool_table(folder / "pyproject.toml")
    tables = {name: value for name, value in table.items() if isinstance(value, dict)}
    _refuse_unknown({*table} - {*tables}, "pyproject.toml [tool.neonup]")
    _refuse_unknown({*arguments}, "the arguments")
    templates = tables.pop("variables", {})
    check_names(tables, environ)

    values: dict[str, Any] = {"env_file": folder / ".env"}
    sources: dict[str, str] = {}
    for name, declared in _DECLARED.items():
        candidates = {
            "argument": arguments.get(name),
            _VARIABLES[name]: environ.get(_VARIABLES[name]) or None,
            "pyproject.toml": table.get(name),
        }
        for source, value in candidates.items():
            if value is not None:
                setting, sources[name] = options.parsed(declared, value, source), source
                if isinstance(setting, Path):
                    setting = (Path.cwd() if source == "argument" else folder) / setting
                values[name] = setting
                break
    if templates:
        from neonup.postgres.templates import check  # which most projects do without

        own_key = environ.get(_VARIABLES["key"]) or table.get("key") or Settings.key
        templates = check(templates, own_key) if values.get("key", own_key) == own_key else {}
    return Settings(
        project=folder,
        home=home(environ),
        enabled=_enabled(environ.get("NEONUP", "")),
        variables=templates,
        sources=sources,
        tables=tables,
        **values,
    )


def _enabled(value: str) -> bool:
    """Whether ``NEONUP`` leaves neonup on; what it does not know might have meant off."""
    try:
        return not value or options.flag(value)
    except ValueError:
        raise SettingsError(
            f"NEONUP={value} is neither on nor off.",
            remedy="Set NEONUP=off so that nothing is created, woken or written, or unset it.",
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


def check_names(
    tables: Mapping[str, Mapping[str, Any]],
    environ: Mapping[str, str] = os.environ,
    plugged: Mapping[str, type[options.Options] | None] | None = None,
) -> None:
    """Refuse misspelt tables, options and ``NEONUP_*`` variables: see `neonup.tables.check`."""
    strangers = [name for name in environ if name.startswith("NEONUP_") and name not in _OTHERS]
    if tables or strangers:
        from neonup import tables as known  # which most starts do without

        known.check(tables, strangers, _VARIABLES, plugged)


def _refuse_unknown(names: set[str], where: str) -> None:
    for name in sorted(names - _DECLARED.keys()):
        raise options.unknown("setting", name, where, _DECLARED)
