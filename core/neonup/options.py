"""Settings and options: each is declared once, as a field with its parser and its default.

`Settings` declares ``[tool.neonup]`` so. A provider declares its own table in a class of its own::

    @dataclass(frozen=True)
    class TeamOptions(neonup.Options):
        table = "team"
        url: str | None = neonup.option()

``TeamOptions.of(settings).url`` is ``NEONUP_TEAM_URL``, else ``url`` in ``[tool.neonup.team]``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from neonup.errors import SettingsError

if TYPE_CHECKING:
    from typing import Protocol, Self

    class _Settings(Protocol):
        @property
        def project(self) -> Path: ...
        @property
        def tables(self) -> Mapping[str, Mapping[str, Any]]: ...


Parser = Callable[[object], Any]
"""Makes a value of what TOML or a variable has. Raises ValueError or TypeError with the reason."""

OFF = frozenset({"off", "0", "false", "no"})
ON = frozenset({"on", "1", "true", "yes"})


def text(value: object) -> str:
    """A string that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it must be a string")
    return value.strip()


def flag(value: object) -> bool:
    """True or false, as TOML has them or in words."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ON | OFF:
        return value.lower() in ON
    raise ValueError("it must be true or false")


def positive(value: object) -> int:
    """A whole number above 0."""
    number = int(value) if isinstance(value, str) else value
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise ValueError("it must be a positive number")
    return number


def seconds(value: object) -> float:
    """A time span above 0 and up to ten minutes."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("it must be a number of seconds")
    span = float(value)
    if not 0 < span <= 600:
        raise ValueError("it must be a number of seconds from 0 to 600")
    return span


def words(value: object) -> str:
    """A string, which may be blank."""
    if not isinstance(value, str):
        raise TypeError("it must be a string")
    return value


def variable_name(value: object) -> str:
    """The name of an environment variable."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", words(value)):
        raise ValueError("it must be a name of letters, digits and underscores")
    return words(value)


def url_scheme(value: object) -> str:
    """What a Postgres URL may begin with: ``postgres``, ``postgresql+asyncpg``."""
    if not re.fullmatch(r"postgres(ql)?(\+\w+)?", words(value)):
        raise ValueError("it must be postgresql, postgres, or one of these with +DRIVER")
    return words(value)


def prefix(value: object) -> str:
    """What the name of a variable begins with; it may be blank."""
    return variable_name(value) if value else ""


def path(value: object) -> Path:
    """A path; `Options.of` makes a relative one the project's."""
    return Path(os.fspath(value)).expanduser()  # type: ignore[call-overload]


def one_of(*choices: str) -> Parser:
    """A parser that takes one of some words."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"it must be one of {', '.join(choices)}")
        return str(value)

    return parse


def names(*example: str) -> Parser:
    """A parser of a list of names; in a variable they are parted by commas.

    Args:
        example: names to show in the error.
    """

    def parse(value: object) -> tuple[str, ...]:
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not all(isinstance(name, str) for name in given):
            shown = ", ".join(f'"{name}"' for name in example)
            raise ValueError(f"it must be a list of names, like [{shown}]")
        return tuple(name.strip() for name in given if name.strip())

    return parse


_PARSERS: Mapping[object, Parser] = {
    str: text,
    bool: flag,
    int: positive,
    float: seconds,
    Path: path,
}


class DeclaredOption:
    """The default of a field, which remembers how the field is read.

    It is a descriptor, so that the class's attribute, which `dataclasses` looks at, is the default.
    """

    name = ""

    def __init__(self, parse: Parser, default: object, also: str, variable: bool):
        self.parse, self.default = parse, default
        self.also, self.variable = also, variable

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> object:
        return self.default


def option(parse: Any = str, default: Any = None, *, also: str = "", variable: bool = True) -> Any:
    """Declare an option: the default of a field of a frozen dataclass.

    Args:
        parse: makes the value, and raises ValueError with the reason where it cannot; or ``str``,
            ``bool``, ``int`` (above 0), ``float`` (seconds) or ``Path`` (the project's).
        default: the value where none is set.
        also: a variable of another tool's that is read where ours and the table say nothing.
        variable: whether a variable can set it; a table cannot be one.
    """
    return DeclaredOption(_PARSERS.get(parse, parse), default, also, variable)


def declared(cls: type) -> dict[str, DeclaredOption]:
    """The fields of a class that are options, by name."""
    return {
        name: value
        for base in reversed(cls.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, DeclaredOption)
    }


class Options:
    """The options of one table, ``[tool.neonup.TABLE]``. A subclass is a frozen dataclass.

    Attributes:
        table: the table's name, e.g. the provider's.
    """

    table: ClassVar[str] = ""

    @classmethod
    def of(cls, settings: _Settings) -> Self:
        """The options as a project's settings have them.

        Raises:
            SettingsError: the table has an unknown option, or a value cannot be used.
        """
        table = settings.tables.get(cls.table, {})
        refuse_unknown(table, cls)
        values = {}
        for name, declaration in declared(cls).items():
            own, also = variable_of(cls.table, name), declaration.also
            places = [own, f"{name} in {header(cls.table)}", *([also] if also else [])]
            candidates = {
                own: os.environ.get(own) if declaration.variable else None,
                header(cls.table): table.get(name),
                also: os.environ.get(also) if also else None,
            }
            for source, value in candidates.items():
                if value not in (None, ""):
                    option = parsed(declaration, value, source, f"Correct {', or '.join(places)}.")
                    is_path = isinstance(option, Path)
                    values[name] = settings.project / option if is_path else option
                    break
        return cls(**values)


def parsed(declared: DeclaredOption, value: object, source: str, remedy: str | None = None) -> Any:
    """The value of an option.

    Raises:
        SettingsError: it cannot be used.
    """
    try:
        return declared.parse(value)
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"The setting {declared.name} = {value!r} (from {source}) cannot be used: {error}.",
            remedy=remedy,
        ) from None


def header(table: str) -> str:
    """How a table begins in ``pyproject.toml``."""
    return f"[tool.neonup.{table}]" if table.isidentifier() else f'[tool.neonup."{table}"]'


def variable_of(table: str, name: str) -> str:
    """The variable of a table's option: ``NEONUP_NEON_NEW_URL`` for ``neon.new`` and ``url``."""
    return re.sub(r"\W", "_", f"NEONUP_{table}_{name}").upper()


def refuse_unknown(table: Iterable[str], cls: type[Options]) -> None:
    """Raise SettingsError for an option of a table that its class does not declare."""
    known = declared(cls)
    for name in table:
        if name not in known:
            raise unknown("option", name, f"pyproject.toml {header(cls.table)}", known)


def closest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name that is most like one; None if none is like it."""
    import difflib  # only where something is misspelt

    return next(iter(difflib.get_close_matches(name, list(known), 1, cutoff)), None)


def unknown(kind: str, name: str, where: str, known: Iterable[str]) -> SettingsError:
    """The error about a name that nothing reads, with the known one that may have been meant."""
    close = closest(name, known)
    return SettingsError(
        f"{where} has an unknown {kind} {name!r}.",
        remedy=f"Did you mean {close!r}?"
        if close
        else f"The {kind}s are {', '.join(sorted(known))}.",
    )
