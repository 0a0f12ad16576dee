"""What Python code needs of a server: Django's operations, and SQL in its strings.

Tokens are read, not patterns: so a comment, a docstring or an import needs nothing.
"""

from __future__ import annotations

import ast
import io
import token
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from tokenize import TokenInfo

from neonup.plugin.postgres import DJANGO_OPERATIONS
from neonup_local.needs import sql_text
from neonup_local.needs.sql_text import ICU

_BACKENDS = {"django.contrib.gis.db.backends.postgis": "postgis"}
"""Django's database backends that create an extension themselves."""

_STRING_PARTS = {
    token.STRING,
    *(number for number, name in token.tok_name.items() if name == "FSTRING_MIDDLE"),
}
"""An f-string is several tokens from Python 3.12 on."""
_LAYOUT = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})


@dataclass(frozen=True)
class _Literal:
    """Strings that follow each other, which Python joins.

    Args:
        text: what is in them.
        line: where the first one begins.
        end: where the last one ends: a string of one line may have several in its text.
    """

    text: str
    line: int
    end: int


def features(code: str) -> Iterator[tuple[str, int]]:
    """The names of extensions, or ``icu``, each with the line that names it, from 1.

    Of code that is not valid Python, what goes before the fault is read.
    """
    tokens = _tokens(code)
    for index, item in enumerate(tokens):
        if item.type == token.NAME:
            yield from _of_name(tokens, index)
    for literal in _literals(tokens):
        if literal.text in _BACKENDS:
            yield _BACKENDS[literal.text], literal.line
        for name, line in sql_text.features(literal.text):
            yield name, min(literal.line + line - 1, literal.end)


def _tokens(code: str) -> list[TokenInfo]:
    tokens = []
    try:
        for item in tokenize.generate_tokens(io.StringIO(code).readline):
            if item.type not in (tokenize.COMMENT, tokenize.NL):
                tokens.append(item)  # noqa: PERF401 - what goes before an error stays
    except (tokenize.TokenError, SyntaxError):
        pass
    return tokens


def _of_name(tokens: Sequence[TokenInfo], index: int) -> Iterator[tuple[str, int]]:
    """What a call or an argument needs that begins with this name."""
    name, line = tokens[index].string, tokens[index].start[0]
    before = tokens[index - 1].string if index else ""
    after = [item.string for item in tokens[index + 1 : index + 5]]
    if name == "provider" and after[:1] == ["="] and _text("".join(after[1:2])) == ICU:
        yield ICU, line
    if before in ("class", "def") or after[:1] != ["("]:
        return
    if name in DJANGO_OPERATIONS:
        yield DJANGO_OPERATIONS[name], line
    elif name == "CreateExtension":
        argument = after[3:] if after[1:3] == ["name", "="] else after[1:]
        if extension := _text("".join(argument[:1])):
            yield extension, line


def _text(source: str) -> str | None:
    """The value of a string as Python writes it; None: it is something else."""
    try:
        value = ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _plain(source: str) -> str:
    """What is in a string that has no value yet, an f-string for example, as far as that goes."""
    return source.lstrip("bBfFrR").strip("\"'").replace('\\"', '"')


def _literals(tokens: Sequence[TokenInfo]) -> Iterator[_Literal]:
    """The strings of the code, without docstrings."""
    parts: list[str] = []
    line = end = 0
    starts_statement = True
    docstring = False
    for item in tokens:
        if item.type in _STRING_PARTS:
            if not parts:
                line, docstring = item.start[0], starts_statement
            else:
                parts.append("\n" * (item.start[0] - end))
            parts.append(_text(item.string) or _plain(item.string))
            end = item.end[0]
        elif not token.tok_name[item.type].startswith("FSTRING"):
            ends_statement = item.type in (tokenize.NEWLINE, tokenize.ENDMARKER)
            if parts and not (docstring and ends_statement):
                yield _Literal("".join(parts), line, end)
            parts = []
        starts_statement = item.type in _LAYOUT
