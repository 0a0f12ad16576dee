"""JSON with its levels, a line each; every value stays as Postgres wrote it."""

from __future__ import annotations

import re

_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_DEEPEST = 40
"""Levels that are indented."""


def indented(text: str) -> str:
    """A text of JSON, as Postgres has checked it, over several lines."""
    written: list[str] = []
    depth = 0
    every = _PARTS.findall(text)
    for number, part in enumerate(every):
        before = every[number - 1] if number else ""
        if part in "}]":
            depth -= 1
            if before not in {"{", "["}:
                written.append(_line(depth))
        elif before in {"{", "[", ","}:
            written.append(_line(depth))
        written.append(": " if part == ":" else part)
        if part in "{[":
            depth += 1
    return "".join(written)


def _line(depth: int) -> str:
    return "\n" + "  " * min(depth, _DEEPEST)
