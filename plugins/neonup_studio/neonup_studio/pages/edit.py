"""A row added, changed or deleted: a form, then the SQL, and only then is it done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from neonup_studio.data import row as whole_rows
from neonup_studio.data import writing
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation
from neonup_studio.data.row import WholeRow
from neonup_studio.data.writing import RowChange, RowChanged
from neonup_studio.pages import edit_fields, relation_address
from neonup_studio.pages.relation_address import PATH
from neonup_studio.server.connections import Connection
from neonup_studio.visit import NoSuchPage, PageRefused, Pages, Visit, does, shows

_DONE = {"add": "The row was added.", "change": "The row was changed.", "delete": "It was deleted."}


def routes() -> Pages:
    """A form for each kind of change, and what is done with it."""
    return [
        ("GET", f"{PATH}/{{kind}}-row", shows(_asked)),
        ("POST", f"{PATH}/{{kind}}-row", does(_sent)),
    ]


@dataclass(frozen=True)
class _Edit:
    """A change that is being made.

    Args:
        kind: a key of `_DONE`.
        key: of the row, for an address; empty: one is added.
        row: as it is now; None: one is added.
    """

    visit: Visit
    relation: DescribedRelation
    kind: str
    key: str
    row: WholeRow | None

    @property
    def version(self) -> str:
        """The row's, when the form was first shown."""
        return self.visit.text("version") or (self.row.version or "" if self.row else "")

    def change(self) -> RowChange:
        """What the form asks for.

        Raises:
            DataProblem: it asks for something that cannot be.
        """
        if self.kind == "delete":
            return writing.deletion(self.relation, self.key, self.version)
        values = edit_fields.assignments(self.relation, self.row, self.visit.fields)
        if self.kind == "add":
            return writing.addition(self.relation, values)
        return writing.alteration(self.relation, self.key, self.version, values)


def _begin(visit: Visit, connection: Connection) -> _Edit:
    visit.check_writable()
    kind = visit.part("kind")
    if kind not in _DONE:
        raise NoSuchPage
    relation = relation_address.described(visit, connection)
    if not relation.writable_kind:
        raise PageRefused(f"Rows of a {relation.kind.words} are not changed here.")
    if kind == "add":
        return _Edit(visit, relation, kind, "", None)
    if not relation.key:
        raise PageRefused(f"{relation.name} has no primary key, so that no row can be told apart.")
    key = visit.text("key") or visit.asked("key")
    try:
        row = whole_rows.by_key(connection, relation, key)
    except DataProblem as problem:
        raise PageRefused(str(problem)) from None
    if row is None:
        raise NoSuchPage(f"This row of {relation.name} is not there any more.")
    return _Edit(visit, relation, kind, key, row)


def _asked(visit: Visit) -> Response:
    with visit.connection() as connection:
        edit = _begin(visit, connection)
        if edit.kind == "delete":
            return _preview(edit, connection, edit.change())
    return _form(edit)


def _sent(visit: Visit) -> Response:
    with visit.connection() as connection:
        edit = _begin(visit, connection)
        if visit.text("step") == "edit":
            return _form(edit, again=True)
        try:
            if edit.row is not None and edit.version != edit.row.version:
                raise RowChanged(edit.row)
            change = edit.change()
            shown = str(visit.fields.get("shown", "")).replace("\r\n", "\n")
            if visit.text("step") != "run" or shown != _plain(change.text(connection)):
                return _preview(edit, connection, change)
            key = writing.carry_out(connection, change)
        except RowChanged as problem:
            return _changed(edit, problem)
        except DataProblem as problem:
            return _refused(edit, problem)
    visit.tell(_DONE[edit.kind])
    if key is None:
        return RedirectResponse(relation_address.path(visit, edit.relation.name), 303)
    return RedirectResponse(relation_address.path(visit, edit.relation.name, "row", key=key), 303)


def _plain(text: str) -> str:
    """As a form sends it back."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _form(
    edit: _Edit,
    *,
    again: bool = False,
    problem: DataProblem | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    sent = edit.visit.fields if again else None
    return edit.visit.show(
        "edit.html",
        "tables",
        status=400 if problem else 200,
        address=relation_address,
        relation=edit.relation,
        kind=edit.kind,
        key=edit.key,
        version=edit.version,
        fields=edit_fields.fields(edit.relation, edit.row, sent, errors),
        problem=problem,
        errors=errors or {},
    )


def _refused(edit: _Edit, problem: DataProblem) -> Response:
    if edit.kind == "delete":
        raise PageRefused(str(problem))
    errors = {problem.column: problem.message} if problem.column else {}
    return _form(edit, again=True, problem=problem, errors=errors)


def _changed(edit: _Edit, problem: RowChanged) -> Response:
    """Somebody else was faster: the row as it is, beside what was typed."""
    return edit.visit.show(
        "changed.html",
        "tables",
        status=409,
        address=relation_address,
        relation=edit.relation,
        kind=edit.kind,
        key=edit.key,
        problem=problem,
        now_row=problem.now,
        typed=_typed(edit),
    )


def _typed(edit: _Edit) -> dict[int, str]:
    """What was typed, by the column's number; a choice without the sign of a value."""
    return {
        column.number: str(edit.visit.fields[f"v.{column.number}"]).removeprefix("=")
        for column in edit.relation.columns
        if f"v.{column.number}" in edit.visit.fields
    }


def _preview(edit: _Edit, connection: Connection, change: RowChange) -> Response:
    kept = [
        (name, str(value))
        for name, value in edit.visit.fields.multi_items()
        if name.startswith(("v.", "e."))
    ]
    return edit.visit.show(
        "preview.html",
        "tables",
        address=relation_address,
        relation=edit.relation,
        kind=edit.kind,
        key=edit.key,
        version=edit.version,
        statement=change.text(connection),
        kept=kept,
    )
