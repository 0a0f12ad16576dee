"""The user's own lines of a key whose place a database of neonup's took, as ``--force`` has it.

They stay where they are as comments, so that no value is lost, and are put back when neonup's block
goes.
"""

from __future__ import annotations

from collections.abc import Collection

from neonup.env.dotenv import EnvFile

_MARK = "# before neonup: "


def commented(file: EnvFile, indexes: Collection[int]) -> dict[int, str]:
    """The variables among some statements as comments, by their indexes."""
    statements = file.statements
    return {
        index: "".join(_MARK + line for line in statements[index].text.lstrip().splitlines(True))
        for index in indexes
        if statements[index].key is not None
    }


def restored(file: EnvFile, indexes: Collection[int]) -> dict[int, str]:
    """What `commented` made comments of, as it was, by the comments' indexes."""
    bodies = {index: file.statements[index].text.lstrip() for index in indexes}
    return {
        index: body.removeprefix(_MARK) for index, body in bodies.items() if body.startswith(_MARK)
    }
