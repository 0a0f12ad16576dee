"""The table of figures in a page of the documentation, which the program writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.figures import Case, Figure, amount

BEGIN = '<!-- written by make bench ARGS="--write docs/benchmarks.md": from here -->'
END = "<!-- to here -->"
_HEADINGS = (
    *("row", "what", "beside", "neonup", "beside it", "ratio", "target"),
    *("measured", "`python -c pass`", "load"),
)
_ROW = re.compile(r"^\| `([^`]+)` \|")


class NoTable(Exception):
    """A page has no place for the table: the two markers are not there."""


def written(text: str, cases: Iterable[Case], figures: Mapping[str, Figure], machine: str) -> str:
    """The page's text with these figures in it.

    A row that was not measured now keeps what it had, where machine and row are the same.

    Args:
        text: the page.
        cases: all rows, in order.
        figures: those that were measured, by name.
        machine: as `machine.description` has it.

    Raises:
        NoTable: the page has no markers.
    """
    before, begin, rest = text.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end:
        raise NoTable(f"there is no place for the table: {BEGIN} and {END}")
    kept = rows(text) if f"\n{machine}.\n" in inside else {}
    lines = [_line(_HEADINGS), _line(["---"] * len(_HEADINGS))]
    for case in cases:
        if case.name in figures:
            measured = _measured(figures[case.name])
        else:
            measured = _kept(case, kept.get(case.name, ()))
        lines.append(_line((f"`{case.name}`", case.what, case.against, *measured)))
    return f"{before}{begin}\n\n{machine}.\n\n" + "\n".join(lines) + f"\n\n{end}{after}"


def write(page: Path, cases: Iterable[Case], figures: Mapping[str, Figure], machine: str) -> None:
    """Put figures into a page; see `written`."""
    text = page.read_text(encoding="utf-8")
    page.write_text(written(text, cases, figures, machine), encoding="utf-8")


def rows(text: str) -> dict[str, tuple[str, ...]]:
    """The cells of the table's rows in a page, by name."""
    inside = text.partition(BEGIN)[2].partition(END)[0]
    found = {}
    for line in inside.splitlines():
        if match := _ROW.match(line):
            cells = line.strip().removeprefix("|").removesuffix("|").split(" | ")
            found[match[1]] = tuple(cell.strip().replace("\\|", "|") for cell in cells)
    return found


def _measured(figure: Figure) -> tuple[str, ...]:
    moment = figure.moment
    return (
        amount(figure.ours, figure.case.unit),
        amount(figure.theirs, figure.case.unit),
        _ratio(figure.ratio, met=figure.met),
        _target(figure.case),
        moment.time,
        f"{moment.python_pass:.1f} ms",
        "" if moment.load is None else f"{moment.load:.1f}",
    )


def _kept(case: Case, cells: Sequence[str]) -> tuple[str, ...]:
    """What an earlier table has, where the row is the same, held against today's target."""
    ours, theirs, ratio, moment = "not measured", "", "", ("", "", "")
    if tuple(cells[1:3]) == (case.what, case.against) and cells[5]:
        ours, theirs, number = cells[3], cells[4], float(cells[5].strip("*"))
        moment = (cells[7], cells[8], cells[9])
        ratio = _ratio(number, met=case.target is None or number <= case.target)
    return (ours, theirs, ratio, _target(case), *moment)


def _ratio(number: float, *, met: bool) -> str:
    return f"{number:.2f}" if met else f"**{number:.2f}**"


def _target(case: Case) -> str:
    return "" if case.target is None else f"{case.target:g}"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
