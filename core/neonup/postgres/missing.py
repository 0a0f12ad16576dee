"""What a server lacks, as its error messages tell it: an extension, or ICU's collations."""

from __future__ import annotations

import re

ICU = "icu"

_EXTENSION = re.compile(
    r'extension "([^"]+)" is not available|extension/([\w-]+)\.control'
    r'|could not access file "(?:\$libdir/)?([\w-]+)"'
)
_ICU = re.compile(r'ICU is not supported in this build|collation "[^"]*-x-icu"[^\n]*does not exist')


def missing_feature(message: str) -> str | None:
    """The name of the extension that a server lacks, or `ICU`; None: the error says no such thing.

    Args:
        message: an error of Postgres's in English, with its details where there are some.
    """
    if _ICU.search(message):
        return ICU
    found = _EXTENSION.search(message)
    return next(filter(None, found.groups()), None) if found else None
