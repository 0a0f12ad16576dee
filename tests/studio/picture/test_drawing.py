"""The picture of a real schema with 62 tables, and its parts."""

from __future__ import annotations

import re

import pytest

from neonup_studio.picture.boxes import HEAD, ROW, box
from neonup_studio.picture.choice import PictureChoice, PictureView, ShownColumns, choose
from neonup_studio.picture.drawing import EDGE, Picture, draw
from neonup_studio.picture.structure import (
    SchemaTable,
    TableColumn,
    TableKey,
    TableName,
    TableStructure,
)
from tests.studio.picture.geometry import (
    Rectangle,
    crossings,
    on_each_other,
    overlapping,
    through_boxes,
)


def _view(structure: TableStructure, columns: ShownColumns) -> PictureView:
    return choose(structure, PictureChoice(columns=columns))


def _rectangles(picture: Picture) -> list[Rectangle]:
    return [Rectangle(each.x, each.y, each.width, each.box.height) for each in picture.tables]


def _nets(picture: Picture) -> list[object]:
    """Lines to the same columns share a way."""
    return [(line.key.target, line.key.target_columns[0]) for line in picture.lines]


@pytest.mark.parametrize("columns", list(ShownColumns))
def test_sixty_tables_are_readable(erp: TableStructure, columns: ShownColumns) -> None:
    picture = draw(_view(erp, columns))

    boxes = _rectangles(picture)
    assert len(boxes) == 62
    assert len(picture.lines) == 103
    assert overlapping(boxes) == []
    assert through_boxes(picture.corners, boxes) == []
    if columns is not ShownColumns.NONE:  # without columns, all lines to a table are one net
        assert on_each_other(picture.corners, _nets(picture)) == []
    assert crossings(picture.corners, _nets(picture)) < 1.4 * len(picture.lines)
    assert 0.6 < picture.width / picture.height < 2.5


@pytest.mark.parametrize("columns", [ShownColumns.ALL, ShownColumns.KEYS])
def test_every_line_ends_at_its_columns(erp: TableStructure, columns: ShownColumns) -> None:
    picture = draw(_view(erp, columns))

    tables = {each.table.name: each for each in picture.tables}
    for line, corners in zip(picture.lines, picture.corners, strict=True):
        key = line.key
        for name, column, (x, y) in (
            (key.source, key.columns[0], corners[0]),
            (key.target, key.target_columns[0], corners[-1]),
        ):
            drawn = tables[name]
            row = next(row for row in drawn.box.rows if row.column.name == column)
            assert abs(drawn.y + row.y - y) < ROW / 2
            assert x in {drawn.x, drawn.x + drawn.width}
        assert bool(line.brackets) == (len(key.columns) > 1)


def test_no_name_is_cut(erp: TableStructure) -> None:
    for each in draw(_view(erp, ShownColumns.ALL)).tables:
        assert each.box.title.endswith(each.table.name.name)
        assert [row.name for row in each.box.rows] == [c.name for c in each.table.columns]
        assert not [row.type for row in each.box.rows if "…" in row.type]


def test_only_keys_are_shown_and_how_many_columns_are_not(erp: TableStructure) -> None:
    tables = {each.table.name.name: each for each in draw(_view(erp, ShownColumns.KEYS)).tables}

    orders = tables["orders"].box
    assert [row.name for row in orders.rows] == [
        "id",
        "customer_id",
        "billing_address_id",
        "shipping_address_id",
        "currency_code",
        "coupon_id",
    ]
    assert [row.key for row in orders.rows] == ["primary", *["foreign"] * 5]
    assert orders.more == 3


def test_tables_to_which_most_lead_have_colours_and_so_have_their_lines(
    erp: TableStructure,
) -> None:
    picture = draw(_view(erp, ShownColumns.KEYS))

    coloured = {e.table.name.name: e.colour for e in picture.tables if e.colour is not None}
    assert sorted(coloured.values()) == [0, 1, 2, 3, 4, 5]
    assert coloured["users"] == 0
    assert {"customers", "orders", "product_variants"} < set(coloured)
    for line in picture.lines:
        assert line.colour == coloured.get(line.key.target.name)


def test_tables_without_foreign_keys_are_below_the_others(erp: TableStructure) -> None:
    picture = draw(_view(erp, ShownColumns.KEYS))

    assert picture.loose is not None
    below = {each.table.name.name for each in picture.tables if each.y >= picture.loose}
    assert below == {"feature_flags", "job_queue", "schema_migrations"}


def test_a_hub_and_its_neighbours(erp: TableStructure) -> None:
    picture = draw(choose(erp, PictureChoice(focus=TableName("erp", "users"))))

    assert [each.table.name.name for each in picture.tables if each.focused] == ["users"]
    assert len(picture.tables) == 13
    assert overlapping(_rectangles(picture)) == []


def test_paths_are_short_text_that_svg_knows(erp: TableStructure) -> None:
    picture = draw(_view(erp, ShownColumns.KEYS))

    for line in picture.lines:
        for path in (line.way, line.head, line.brackets):
            assert re.fullmatch(r"([MLQvZ]( ?-?\d+(\.\d)?)*)*", path), path


def _draw(
    *keys: TableKey, columns: tuple[TableColumn, ...] = (TableColumn("id", "int"),)
) -> Picture:
    names = sorted({name for key in keys for name in (key.source, key.target)})
    return draw(
        choose(
            TableStructure(tuple(SchemaTable(name, columns) for name in names), keys),
            PictureChoice(),
        )
    )


def test_one_to_one_has_another_mark_than_many_to_one() -> None:
    a, b = TableName("public", "a"), TableName("public", "b")
    one = _draw(TableKey("k", a, ("id",), b, ("id",), unique=True)).lines[0]
    many = _draw(TableKey("k", a, ("id",), b, ("id",))).lines[0]

    assert one.way != many.way
    assert one.head == many.head
    assert one.words == many.words == "a (id) → b (id)"


def test_a_line_is_in_the_direction_of_its_target() -> None:
    a, b = TableName("public", "a"), TableName("public", "b")
    picture = _draw(TableKey("k", a, ("id",), b, ("id",)))

    (first, *_, last), (source, target) = picture.corners[0], picture.tables
    assert first == (source.x, source.y + HEAD + 15)
    assert last == (target.x + target.width, target.y + HEAD + 15)
    assert target.x == EDGE < source.x


def test_names_of_other_schemas_are_whole() -> None:
    a, b = TableName("public", "a"), TableName("auth", "b")
    picture = _draw(TableKey("k", a, ("id",), b, ("id",)))

    assert {each.box.title for each in picture.tables} == {"public.a", "auth.b"}
    assert picture.lines[0].words == "a (id) → auth.b (id)"


def test_very_long_names_are_cut_and_long_ones_make_the_box_wide() -> None:
    def width(name: str) -> tuple[str, float]:
        made = box(
            SchemaTable(TableName("public", "t"), (TableColumn(name, "int"),)),
            ShownColumns.ALL,
            foreign=(),
            led_to=(),
            full_name=False,
        )
        return made.rows[0].name, made.width

    assert width("a" * 36)[0] == "a" * 36
    assert width("a" * 63)[0] == "a" * 35 + "…"
    assert width("a" * 36)[1] > width("a" * 18)[1] > width("a")[1]
    assert width("字" * 18)[1] > width("a" * 18)[1] + 100


@pytest.mark.parametrize(
    ("type_", "shown"),
    [
        ("timestamp with time zone", "timestamptz"),
        ("timestamp(3) with time zone", "timestamptz(3)"),
        ("timestamp without time zone", "timestamp"),
        ("timestamp(6) without time zone[]", "timestamp(6)[]"),
        ("time without time zone", "time"),
        ("character varying(255)", "varchar(255)"),
        ("character varying", "varchar"),
        ("character(2)", "char(2)"),
        ("double precision[]", "float8[]"),
        ("character_set", "character_set"),
        ("extensions.geometry(Point,4326)", "extensions.geometry(P…"),
    ],
)
def test_types_are_as_short_as_postgres_takes_them(type_: str, shown: str) -> None:
    table = SchemaTable(TableName("public", "t"), (TableColumn("c", type_),))

    made = box(table, ShownColumns.ALL, foreign=(), led_to=(), full_name=False)

    assert made.rows[0].type == shown


def test_a_table_with_very_many_columns_shows_its_first_and_its_keys() -> None:
    columns = tuple(TableColumn(f"c{number}", "int") for number in range(300))

    made = box(
        SchemaTable(TableName("public", "wide"), columns),
        ShownColumns.ALL,
        foreign={"c299"},
        led_to=(),
        full_name=False,
    )

    assert len(made.rows) == 60
    assert made.rows[0].name == "c0"
    assert made.rows[-1].name == "c299"
    assert made.more == 240


def test_a_schema_without_tables_has_an_empty_picture() -> None:
    picture = draw(choose(TableStructure((), ()), PictureChoice()))

    assert (picture.tables, picture.lines) == ([], [])
