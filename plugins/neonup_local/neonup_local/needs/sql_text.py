"""What SQL needs of a server: ``CREATE EXTENSION``, and collations of ICU's."""

from __future__ import annotations

import re
from collections.abc import Iterator

ICU = "icu"

_SKIPPED = re.compile(
    r"""(?P<text>'[^']*'|"[^"]*")   # comments begin neither in texts nor in names
    |--[^\n]*
    |(?P<block>/\*)""",
    re.VERBOSE,
)
_BLOCK = re.compile(r"/\*|\*/")

_NEEDS = re.compile(
    r"""\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?(?!IF\s)
        (?:"(?P<quoted>[^"\s]+)"|(?P<plain>[A-Z_]\w*))
        \s*(?=;|'|\$|\\|\Z|(?:WITH|SCHEMA|VERSION|CASCADE|FROM)\b)
    |(?P<icu>provider\s*=\s*'?icu\b|-x-icu\b)""",
    re.VERBOSE | re.IGNORECASE,
)


def features(sql: str) -> Iterator[tuple[str, int]]:
    """The names of extensions, or `ICU`, each with the line that names it, from 1.

    Args:
        sql: a script, or a statement in a program's text.
    """
    text = _without_comments(sql)
    for match in _NEEDS.finditer(text):
        name = match["quoted"] or (match["plain"] or ICU).lower()
        yield name, text.count("\n", 0, match.start()) + 1


def _without_comments(sql: str) -> str:
    """The same lines without comments, which nest in Postgres."""
    parts, position = [], 0
    while match := _SKIPPED.search(sql, position):
        if match["text"]:
            parts.append(sql[position : match.end()])
            position = match.end()
            continue
        parts.append(sql[position : match.start()])
        position = _end_of_block(sql, match.end()) if match["block"] else match.end()
        parts.append(" " + "\n" * sql.count("\n", match.start(), position))
    return "".join([*parts, sql[position:]])


def _end_of_block(sql: str, position: int) -> int:
    depth = 1
    while depth and (match := _BLOCK.search(sql, position)):
        depth += 1 if match[0] == "/*" else -1
        position = match.end()
    return len(sql) if depth else position
