"""Addresses of a relation's pages, and what of a database's relation they are about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlencode

from starlette.responses import Response

from neonup_pages import look
from neonup_studio.data.description import describe
from neonup_studio.data.filters import ColumnFilter, Comparison
from neonup_studio.data.ordering import RowOrder
from neonup_studio.data.problem import DataProblem
from neonup_studio.data.relation import DescribedRelation, RelationName
from neonup_studio.data.rows import PageMove, RowsRequest
from neonup_studio.server.connections import Connection
from neonup_studio.visit import NoSuchPage, Visit

PATH = "tables/{schema}/{table}"
"""Below the database; names are escaped twice, since they may have slashes."""
SIZES = (25, 50, 100, 200)
"""How many rows a page has."""
_SIZE = 50


def name_of(visit: Visit) -> RelationName:
    """The relation that an address is about."""
    return RelationName(unquote(visit.part("schema")), unquote(visit.part("table")))


def described(visit: Visit, connection: Connection, *, fresh: bool = True) -> DescribedRelation:
    """The relation that an address is about, as the catalogs know it.

    Args:
        fresh: whether it is read now; else what was read a moment ago will do.

    Raises:
        NoSuchPage: there is none.
        DataProblem: the catalogs cannot be read.
    """
    try:
        if fresh:
            return describe(connection, name_of(visit))
        return visit.studio.relations.describe(connection, visit.place.url, name_of(visit))
    except DataProblem as problem:
        if problem.sqlstate:
            raise
        raise NoSuchPage(problem.message) from None


def path(visit: Visit, name: RelationName, *parts: str, **parameters: str) -> str:
    """The address of a page of a relation.

    Args:
        parts: of the path behind the relation's name.
        parameters: of the address.
    """
    return visit.path("tables", _part(name.schema), _part(name.name), *parts, **parameters)


def _part(name: str) -> str:
    escaped = quote(name, safe="")
    return escaped.replace(".", "%2E") if not escaped.strip(".") else escaped


def filter_pairs(filters: tuple[ColumnFilter, ...]) -> list[tuple[str, str]]:
    """Filters as parameters of an address."""
    return [
        pair
        for one in filters
        for pair in (("c", one.column), ("o", one.comparison.value), ("v", one.value))
    ]


def read_filters(pairs: list[tuple[str, str]]) -> tuple[ColumnFilter, ...]:
    """The filters of an address or a form; those without a column are none.

    Raises:
        DataProblem: a column is compared in a way that there is not.
    """
    values: dict[str, list[str]] = {name: [] for name in "cov"}
    for name, value in pairs:
        if name in values:
            values[name].append(value)
    found = []
    for column, comparison, value in zip(values["c"], values["o"], values["v"], strict=False):
        if not column:
            continue
        try:
            compared = Comparison(comparison)
        except ValueError:
            raise DataProblem(f"Columns are not compared by {comparison!r}.") from None
        found.append(ColumnFilter(column, compared, value if compared.takes_value else ""))
    return tuple(found)


@dataclass(frozen=True)
class RowsAddress:
    """Which rows the address of a page asks for.

    Args:
        visit: whose database it is.
        name: the relation.
        request: the order, the filters and the place.
    """

    visit: Visit
    name: RelationName
    request: RowsRequest

    @classmethod
    def read(cls, visit: Visit, pairs: list[tuple[str, str]]) -> RowsAddress:
        """What an address or a form asks for.

        Raises:
            DataProblem: it asks for something that there is not.
        """
        known = dict(pairs)
        size = known.get("size", "")
        move = known.get("move", "")
        request = RowsRequest(
            RowOrder(
                known.get("sort") or None,
                known.get("dir") == "desc",
                known.get("nulls") == "first",
            ),
            read_filters(pairs),
            int(size) if size in {str(one) for one in SIZES} else _SIZE,
            PageMove(move) if move in {*PageMove} else PageMove.FIRST,
            known.get("at", ""),
        )
        return cls(visit, name_of(visit), request)

    def pairs(self, *, placed: bool = True) -> list[tuple[str, str]]:
        """The parameters of this address.

        Args:
            placed: with the page that it asks for; else its order and filters alone.
        """
        request, order = self.request, self.request.order
        found = {
            "sort": order.column or "",
            "dir": "desc" if order.descending else "",
            "nulls": "first" if order.nulls_first else "",
            "size": str(request.limit) if request.limit != _SIZE else "",
        }
        if placed:
            found["move"] = request.move.value if request.move is not PageMove.FIRST else ""
            found["at"] = request.place
        given = [(name, value) for name, value in found.items() if value]
        return given + filter_pairs(request.filters)

    def _to(self, request: RowsRequest) -> str:
        pairs = replace(self, request=request).pairs()
        plain = path(self.visit, self.name)
        return f"{plain}?{urlencode(pairs)}" if pairs else plain

    def moved(self, move: str, place: str = "") -> str:
        """The address of another page of the same rows."""
        return self._to(replace(self.request, move=PageMove(move), place=place))

    def sorted_by(self, column: str | None) -> str:
        """The address of the rows sorted by a column; by the same again, the other way round."""
        order = self.request.order
        again = column == order.column
        wanted = RowOrder(column, again and not order.descending, order.nulls_first)
        return self._to(replace(self.request, order=wanted, move=PageMove.FIRST, place=""))

    def with_nulls(self, *, first: bool) -> str:
        """The address of the same rows with NULL before or after the others."""
        order = replace(self.request.order, nulls_first=first)
        return self._to(replace(self.request, order=order, move=PageMove.FIRST, place=""))

    def without(self, number: int) -> str:
        """The address of the rows without one of the filters."""
        filters = self.request.filters
        rest = filters[:number] + filters[number + 1 :]
        return self._to(replace(self.request, filters=rest, move=PageMove.FIRST, place=""))


def filtered(visit: Visit, name: RelationName, filters: tuple[ColumnFilter, ...]) -> str:
    """The address of a relation's rows that meet filters."""
    return f"{path(visit, name)}?{urlencode(filter_pairs(filters))}"


def row_by(visit: Visit, name: RelationName, filters: tuple[ColumnFilter, ...]) -> str:
    """The address of the one row that meets filters, such as a foreign key's."""
    return f"{path(visit, name, 'row')}?{urlencode(filter_pairs(filters))}"


def as_file(content: bytes, name: str, type_: str) -> Response:
    """An answer that a browser saves, and never shows.

    Args:
        name: of the file; whatever is no plain sign in it is replaced.
        type_: of the content.
    """
    plain = "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in name)
    headers = {
        **look.headers(),
        "content-disposition": f"attachment; filename*=UTF-8''{quote(plain, safe='')}",
    }
    return Response(content, headers=headers, media_type=type_)
