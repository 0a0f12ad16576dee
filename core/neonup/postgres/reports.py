"""What psql and pg_dump report when something fails, and what a server lacks by that."""

from __future__ import annotations

import re
from dataclasses import dataclass

from neonup.postgres import urls

ICU = "icu"

_EXTENSION = re.compile(
    r'extension "([^"]+)" is not available|extension/([\w-]+)\.control'
    r'|could not access file "(?:\$libdir/)?([\w-]+)"'
)
_ICU = re.compile(r'ICU is not supported in this build|collation "[^"]*-x-icu"[^\n]*does not exist')

_REPORT = re.compile(
    r"(?:psql:(?P<place>.*):(?P<line>\d+): )?"
    r"(?P<severity>[^\s:]+):  ?(?:(?P<state>[0-9A-Z]{5}): )?(?P<message>.*)"
)
_PROGRAMS = {"psql", "pg_dump", "neonup"}


@dataclass
class SqlFailure:
    """The first error that a program reported, without passwords.

    Args:
        message: what it said.
        state: the SQLSTATE; empty where the server did not say it.
        place: the file in which the statement is.
        line: and the line of it.
        details: the lines that belong to the message.
    """

    message: str
    state: str = ""
    place: str = ""
    line: int | None = None
    details: tuple[str, ...] = ()


def first_failure(stderr: str) -> SqlFailure:
    """The first error in a program's output, with the lines that belong to it."""
    failure: SqlFailure | None = None
    details: list[str] = []
    for text in stderr.splitlines():
        report = _REPORT.fullmatch(text)
        starts = report is not None and (report["line"] or report["severity"] in _PROGRAMS)
        if starts and report is not None:
            if failure is not None:
                break
            if _is_harmless(report):
                continue
            line = int(report["line"]) if report["line"] else None
            failure = SqlFailure(
                urls.mask(report["message"].removeprefix("error: ")),
                report["state"] or "",
                report["place"] or "",
                line,
            )
        elif failure is not None and not text.startswith("LOCATION:"):
            details.append(urls.mask(text))
    if failure is None:
        return SqlFailure(urls.mask(stderr.strip()) or "it failed without an error message")
    failure.details = tuple(_without_secrets(details))
    return failure


def _is_harmless(report: re.Match[str]) -> bool:
    warns = report["severity"] == "WARNING" or report["message"].startswith("warning: ")
    return warns or (report["state"] or "").startswith(("00", "01"))


def _without_secrets(lines: list[str]) -> list[str]:
    """Postgres quotes the statement; one that sets a password is left out, with its marker."""
    details: list[str] = []
    for text in lines:
        if "password" in text.lower() and not text.startswith(("DETAIL:", "HINT:")):
            break
        details.append(re.sub(r"^(DETAIL|HINT):  ", r"\1: ", text))
    return details


def missing_feature(message: str) -> str | None:
    """The name of the extension that a server lacks, or `ICU`; None: the error says no such thing.

    Args:
        message: an error of Postgres's in English, with its details where there are some.
    """
    if _ICU.search(message):
        return ICU
    match = _EXTENSION.search(message)
    return next(filter(None, match.groups()), None) if match else None
