"""Numbers, times and statements in a person's words."""

from __future__ import annotations

import re

from neonup import urls

_PASSWORD = re.compile(
    r"(password\s+)(E?'(?:[^']|'')*'|\$(\w*)\$.*?\$\3\$)", re.IGNORECASE | re.DOTALL
)
_SHOWN = 100
"""Characters of a statement within a sentence."""


def count(number: float, noun: str) -> str:
    """``1 session``, ``12,000 rows``."""
    return f"{number:,.0f} {noun}{'' if round(number) == 1 else 's'}"


def span(seconds: float) -> str:
    """A time span in its two largest units: ``0.2 s``, ``12 s``, ``4 min 3 s``, ``2 d 23 h``."""
    if seconds < 10:
        return f"{max(0.0, seconds):.2g} s"
    whole = round(seconds)
    units = [("d", 86400), ("h", 3600), ("min", 60), ("s", 1)]
    parts: list[tuple[int, str]] = []
    for name, length in units:
        number, whole = divmod(whole, length)
        if number or parts:
            parts.append((number, name))
    return " ".join(f"{number} {name}" for number, name in parts[:2] if number)


def percent(ratio: float) -> str:
    """A share from 0 to 1, as ``12 %``; only the whole is ``100 %``."""
    return f"{min(99.9, ratio * 100) if ratio < 1 else ratio * 100:.3g} %"


def masked(statement: str) -> str:
    """A statement without the passwords in it."""
    return urls.mask(_PASSWORD.sub(r"\1'***'", statement))


def shortened(statement: str | None) -> str:
    """The beginning of a statement, on one line, without what a terminal would obey."""
    line = "".join(
        sign if sign.isprintable() else "?" for sign in " ".join((statement or "").split())
    )
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3]}..."
