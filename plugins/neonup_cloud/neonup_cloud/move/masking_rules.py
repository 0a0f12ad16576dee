"""The rules that ``[tool.neonup.pull.mask]`` names: ``RULE`` or ``RULE:ARGUMENT``.

A new rule is a function here, under `_rule`, and a line in docs/moving.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neonup.plugin.options import closest


@dataclass(frozen=True)
class MaskedColumn:
    """A column, as a rule needs to know it.

    Args:
        quoted: its name as SQL takes it.
        type: its type's name, e.g. ``varchar``.
        textual: whether that is a type of text.
        width: how many characters it takes at most; None: any number.
        required: whether it is NOT NULL.
        salt: what makes this pull's hashes its own.
    """

    quoted: str
    type: str
    textual: bool
    width: int | None
    required: bool
    salt: str


class UnfitRule(Exception):
    """A rule cannot mask the column.

    Args:
        reason: what stands against it, to follow the column's name.
        instead: rules to use in its place.
    """

    def __init__(self, reason: str, instead: str):
        super().__init__(reason)
        self.reason = reason
        self.instead = instead


Expression = Callable[[MaskedColumn, str], str]
"""A column and the rule's argument give the SQL expression that takes the column's place."""


@dataclass(frozen=True)
class MaskingRule:
    """How a column's values are replaced.

    Args:
        name: the word for it in the settings.
        takes: what its argument is; None: it takes none.
        expression: the SQL for it.
    """

    name: str
    takes: str | None
    expression: Expression


RULES: dict[str, MaskingRule] = {}


def parse(masking: str) -> tuple[MaskingRule, str]:
    """The rule and its argument.

    Raises:
        ValueError: it names no rule, or its argument is missing or one too many. The message
            follows the masking's name.
    """
    name, colon, argument = masking.strip().partition(":")
    rule = RULES.get(name.strip().lower())
    if rule is None:
        close = closest(name.strip().lower(), RULES)
        guess = f"did you mean {close!r}? " if close else ""
        raise ValueError(f"it names no rule: {guess}an SQL expression is written 'sql:...'")
    if rule.takes is None and colon:
        raise ValueError(f"{rule.name} takes no argument")
    if rule.takes is not None and not argument.strip():
        raise ValueError(f"{rule.name} needs {rule.takes}: '{rule.name}:...'")
    return rule, argument


def _rule(name: str, takes: str | None = None) -> Callable[[Expression], Expression]:
    def register(expression: Expression) -> Expression:
        RULES[name] = MaskingRule(name, takes, expression)
        return expression

    return register


@_rule("null")
def _null(column: MaskedColumn, _argument: str) -> str:
    if column.required:
        raise UnfitRule("is NOT NULL and cannot be masked with null", "hash, text:... or sql:...")
    return "NULL"


@_rule("text", takes="a text")
def _text(_column: MaskedColumn, argument: str) -> str:
    return _literal(argument)


@_rule("sql", takes="an SQL expression")
def _sql(_column: MaskedColumn, argument: str) -> str:
    return argument.strip()


@_rule("hash")
def _hash(column: MaskedColumn, _argument: str) -> str:
    value = f"{_literal(column.salt)} || {column.quoted}::text"
    digest = f"encode(sha256(convert_to({value}, 'UTF8')), 'hex')"
    if column.type == "uuid":
        return f"left({digest}, 32)::uuid"
    if not column.textual:
        raise UnfitRule(
            f"is of the type {column.type}: only text and uuid can be hashed", "sql:..."
        )
    return f"left({digest}, {min(column.width or 32, 32)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
