"""Boxes and lines of any graph: nothing overlaps, and every line ends at its row."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from neonup_studio.picture.layout.graph import BoxLink, Shape
from neonup_studio.picture.layout.placing import BoxLayout, lay_out
from tests.studio.picture.geometry import Rectangle, on_each_other, overlapping, through_boxes

HEAD, ROW = 32.0, 20.0
NEAR = 9.0
"""A line ends within its row, which may have room for several."""

LayoutGraph = tuple[list[Shape], list[BoxLink]]


def _shape(rows: int, width: int = 180) -> Shape:
    return Shape(width, HEAD + ROW * rows)


def _row(number: int) -> float:
    return HEAD + ROW * (number + 0.5)


@st.composite
def graphs(draw: st.DrawFn) -> LayoutGraph:
    rows = draw(st.lists(st.integers(1, 8), min_size=1, max_size=24))
    shapes = [_shape(each, draw(st.integers(130, 320))) for each in rows]
    ends = st.integers(0, len(rows) - 1)
    links = []
    for source, target, at in draw(st.lists(st.tuples(ends, ends, st.integers(0, 7)), max_size=40)):
        links.append(BoxLink(source, _row(at % rows[source]), target, _row(0)))
    return shapes, links


def rectangles(layout: BoxLayout, shapes: list[Shape]) -> list[Rectangle]:
    return [
        Rectangle(place.x, place.y, place.width, shape.height)
        for place, shape in zip(layout.places, shapes, strict=True)
    ]


@settings(deadline=None, max_examples=150)
@given(graphs())
def test_nothing_overlaps_and_lines_end_at_their_rows(graph: LayoutGraph) -> None:
    shapes, links = graph

    layout = lay_out(shapes, links)

    boxes = rectangles(layout, shapes)
    assert overlapping(boxes) == []
    assert through_boxes(layout.ways, boxes) == []
    for box, shape in zip(boxes, shapes, strict=True):
        assert box.width >= shape.width
        assert box.left >= 0 <= box.top
        assert box.right <= layout.width + 0.01
        assert box.bottom <= layout.height + 0.01
    for link, way in zip(links, layout.ways, strict=True):
        for index, row, (x, y) in (
            (link.source, link.source_y, way[0]),
            (link.target, link.target_y, way[-1]),
        ):
            assert x in {boxes[index].left, boxes[index].right}
            assert abs(y - boxes[index].top - row) <= NEAR
        for (x0, y0), (x1, y1) in pairwise(way):
            assert x0 == x1 or y0 == y1
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in way)


@settings(deadline=None, max_examples=150)
@given(graphs())
def test_no_line_lies_on_one_that_leads_elsewhere(graph: LayoutGraph) -> None:
    shapes, links = graph

    layout = lay_out(shapes, links)

    nets = [(link.target, link.target_y) for link in links]
    assert on_each_other(layout.ways, nets) == []


@settings(deadline=None, max_examples=30)
@given(graphs())
def test_the_same_graph_always_looks_the_same(graph: LayoutGraph) -> None:
    assert lay_out(*graph) == lay_out(*graph)


def test_nothing_at_all_has_no_size() -> None:
    layout = lay_out([], [])

    assert (layout.places, layout.width, layout.height, layout.loose) == ([], 0, 0, None)


def test_what_leads_is_right_of_that_to_which_it_leads() -> None:
    chain = [BoxLink(number + 1, _row(0), number, _row(0)) for number in range(4)]

    places = lay_out([_shape(2)] * 5, chain).places

    assert [place.x for place in places] == sorted(place.x for place in places)
    assert len({place.y for place in places}) == 1


def test_a_chain_has_straight_lines() -> None:
    chain = [BoxLink(number + 1, _row(0), number, _row(0)) for number in range(4)]

    assert [len(way) for way in lay_out([_shape(2)] * 5, chain).ways] == [2] * 4


def test_two_tables_that_lead_to_each_other_are_side_by_side() -> None:
    links = [BoxLink(0, _row(1), 1, _row(0)), BoxLink(1, _row(1), 0, _row(0))]

    layout = lay_out([_shape(3)] * 2, links)

    assert len({place.x for place in layout.places}) == 2
    assert on_each_other(layout.ways, [0, 1]) == []


def test_a_table_that_leads_to_itself_has_a_loop_beside_it() -> None:
    layout = lay_out([_shape(3)], [BoxLink(0, _row(2), 0, _row(0))])

    (way,) = layout.ways
    assert [way[0], way[-1]] == [(180, _row(2)), (180, _row(0))]
    assert {x for x, _ in way} == {180, way[1][0]}
    assert 180 < way[1][0] <= layout.width


def test_lines_to_the_same_row_share_their_way() -> None:
    """From thirty tables to one: there is one arrow."""
    links = [BoxLink(number, _row(0), 0, _row(0)) for number in range(1, 31)]

    layout = lay_out([_shape(2)] * 31, links)

    assert len({way[-1] for way in layout.ways}) == 1
    assert len({way[-2][1] for way in layout.ways}) == 1
    assert 0.5 < layout.width / layout.height < 4


def test_what_has_no_line_is_in_a_grid_below() -> None:
    shapes = [_shape(2), *[_shape(1)] * 30, _shape(2)]

    layout = lay_out(shapes, [BoxLink(0, _row(1), 31, _row(0))])

    assert layout.loose is not None
    grid = layout.places[1:31]
    assert min(place.y for place in grid) == layout.loose
    assert layout.loose > layout.places[0].y + shapes[0].height
    assert len({place.x for place in grid}) > 2
    assert overlapping(rectangles(layout, shapes)) == []


def test_groups_are_side_by_side() -> None:
    links = [BoxLink(2 * number, _row(0), 2 * number + 1, _row(0)) for number in range(12)]

    layout = lay_out([_shape(3)] * 24, links)

    assert overlapping(rectangles(layout, [_shape(3)] * 24)) == []
    assert 0.5 < layout.width / layout.height < 3
    assert layout.loose is None


def test_five_hundred_tables_are_laid_out() -> None:
    chance = Random(5)
    shapes = [_shape(chance.randint(1, 9)) for _ in range(500)]
    links = [
        BoxLink(number, _row(0), min(chance.randrange(number), chance.randrange(number)), _row(0))
        for number in range(1, 500)
        for _ in range(2)
    ]

    layout = lay_out(shapes, links)

    boxes = rectangles(layout, shapes)
    assert overlapping(boxes) == []
    assert through_boxes(layout.ways, boxes) == []
