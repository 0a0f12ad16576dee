"""The fields of a form for a row: what they hold at first, and what is meant by them when sent.

A text field that is left empty can mean three things, so that a choice beside it says which. A text
that is typed always counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData

from neonup_studio.data.relation import DescribedRelation, RelationColumn, ValueKind
from neonup_studio.data.row import WholeRow
from neonup_studio.data.writing import Assigned

_EDITABLE = 20_000
"""Characters of a value that can be changed in a field."""
_CHOSEN = frozenset({ValueKind.BOOLEAN, ValueKind.ENUM})
_MEANT: dict[str, str | Assigned] = {
    "null": Assigned.NULL,
    "default": Assigned.DEFAULT,
    "text": "",
}
_EMPTY_IS_TEXT = frozenset({ValueKind.TEXT, ValueKind.OTHER})


@dataclass(frozen=True)
class RowField:
    """A column's field.

    Args:
        text: in the field; of a choice: which one is made, ``=`` and a value, or a meaning.
        choices: of an enum or a boolean, with labels; empty: it is a text field.
        meanings: what an empty field can mean, with labels.
        meaning: which of them it does.
        fixed: why it has no field; None: it has one.
        error: what is wrong with what was typed.
    """

    column: RelationColumn
    text: str
    choices: list[tuple[str, str]]
    meanings: list[tuple[str, str]]
    meaning: str
    fixed: str | None
    error: str | None = None

    @property
    def lines(self) -> int:
        """How high the field is."""
        return min(12, max(self.text.count("\n") + 1, len(self.text) // 60 + 1))


def fields(
    relation: DescribedRelation,
    row: WholeRow | None,
    sent: FormData | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[RowField]:
    """The fields of a form.

    Args:
        row: that is changed; None: one is added.
        sent: what was typed; None: the form is new.
        errors: by column.
    """
    return [
        _field(relation, row, number, sent, (errors or {}).get(column.name))
        for number, column in enumerate(relation.columns)
    ]


def _field(
    relation: DescribedRelation,
    row: WholeRow | None,
    number: int,
    sent: FormData | None,
    error: str | None,
) -> RowField:
    column = relation.columns[number]
    now = row.cells[number].text if row else None
    meanings = _meanings(column, adding=row is None)
    if row is None:
        meaning = meanings[0][0] if meanings else ""
    else:
        meaning = "text" if now == "" else "null" if column.nullable else ""
    text = now or ""
    choices = _choices(column, meanings)
    if choices:
        text = _chosen(now, row is None, meanings)
    if sent is not None:
        text = str(sent.get(f"v.{column.number}", text)).replace("\r\n", "\n")
        meaning = str(sent.get(f"e.{column.number}", meaning))
    fixed = _fixed(column, row, number)
    return RowField(column, text, choices, meanings, meaning, fixed, error)


def _meanings(column: RelationColumn, *, adding: bool) -> list[tuple[str, str]]:
    has_default = column.default is not None or column.identity == "by default"
    default = [("default", f"default: {column.default or 'the next number'}")]
    null = [("null", "NULL")]
    text = [("text", "an empty text")]
    found = default if adding and has_default else []
    found = found + (null if column.nullable else [])
    found = found + (text if column.kind in _EMPTY_IS_TEXT else [])
    return found + (default if has_default and not adding else [])


def _choices(column: RelationColumn, meanings: list[tuple[str, str]]) -> list[tuple[str, str]]:
    if column.kind not in _CHOSEN:
        return []
    values = [("=t", "true"), ("=f", "false")]
    if column.kind is ValueKind.ENUM:
        values = [(f"={label}", label) for label in column.labels]
    return [*values, *meanings]


def _chosen(now: str | None, adding: bool, meanings: list[tuple[str, str]]) -> str:
    if now is not None:
        return f"={now}"
    return meanings[0][0] if meanings and adding else "null"


def _fixed(column: RelationColumn, row: WholeRow | None, number: int) -> str | None:
    if column.generated is not None:
        return f"Generated: {column.generated}"
    if column.identity == "always":
        return "Postgres gives it the next number."
    cell = row.cells[number] if row else None
    if cell is not None and (cell.cut or len(cell.text or "") > _EDITABLE):
        return "It is too long for a field, and stays as it is."
    return None


def assignments(
    relation: DescribedRelation, row: WholeRow | None, sent: FormData
) -> dict[str, str | Assigned]:
    """What was typed, by column; of a row that is changed only what is different.

    Args:
        row: as it is now; None: one is added.
    """
    found: dict[str, str | Assigned] = {}
    for number, column in enumerate(relation.columns):
        if _fixed(column, row, number) is not None or f"v.{column.number}" not in sent:
            continue
        value = _meant(column, sent)
        if row is None:
            if value is not None:
                found[column.name] = value
        elif not _same(value, row.cells[number].text):
            found[column.name] = "" if value is None else value
    return found


def _meant(column: RelationColumn, sent: FormData) -> str | Assigned | None:
    """The value that is meant; None: nothing is said."""
    text = str(sent.get(f"v.{column.number}", ""))
    meaning = str(sent.get(f"e.{column.number}", ""))
    if column.kind in _CHOSEN:
        if text.startswith("="):
            return text[1:]
        meaning = text
    elif text:
        return text.replace("\r\n", "\n")
    return _MEANT.get(meaning)


def _same(value: str | Assigned | None, now: str | None) -> bool:
    """Whether a field says what is there; a browser sends line ends in its own way."""
    if value is Assigned.NULL:
        return now is None
    if isinstance(value, Assigned):
        return False
    if value is None:
        return now in {None, ""}
    return now is not None and value == now.replace("\r\n", "\n").replace("\r", "\n")
