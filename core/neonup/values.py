"""Frozen dataclasses that cost nothing to define, for what every start makes.

`dataclasses` imports `inspect`, and writes and compiles the methods of each class: that was a third
of the time of a start that finds its database.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field


class _Fields:
    """What `dataclasses.fields`, ``replace`` and their like look at, made when they do."""

    def __get__(self, instance: object, owner: type[Value]) -> dict[str, Field[Any]]:
        from dataclasses import MISSING, field, fields, make_dataclass

        described: list[tuple[str, Any, Any]] = []
        for name in owner.__match_args__:
            default = getattr(owner, name, MISSING)
            if isinstance(default, MappingProxyType):
                described.append((name, Any, field(default_factory=dict)))
            else:
                described.append((name, Any, field(default=default)))
        return {field.name: field for field in fields(make_dataclass(owner.__name__, described))}


@dataclass_transform(frozen_default=True)
class Value:
    """A frozen dataclass, to type checkers and to `dataclasses`; its fields are its annotations.

    Args:
        secret: of a subclass: the fields that ``repr`` leaves out.
    """

    __dataclass_fields__ = _Fields()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _secret: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, secret: tuple[str, ...] = ()) -> None:
        cls.__match_args__ = (*cls.__match_args__, *cls.__annotations__)  # type: ignore[misc]  # as dataclasses do
        cls._secret = secret

    def __init__(self, *values: object, **named: object) -> None:
        cls, fields = type(self), self.__match_args__
        given = dict(zip(fields, values, strict=False)) | named
        if len(given) < len(values) + len(named) or given.keys() - fields:
            raise TypeError(f"{cls.__name__} takes each of these once: {', '.join(fields)}")
        for field in fields:
            if field not in given and not hasattr(cls, field):
                raise TypeError(f"{cls.__name__} needs {field}")
            self.__dict__[field] = given[field] if field in given else getattr(cls, field)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} of {type(self).__name__} cannot be set: with_() copies it")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name} of {type(self).__name__} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        names = (name for name in self.__match_args__ if name not in self._secret)
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"

    def with_(self, **changes: Any) -> Self:
        """A copy with some values changed."""
        return type(self)(**{**self.__dict__, **changes})

    __replace__ = with_  # of `copy.replace`
