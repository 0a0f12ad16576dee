"""The table of figures in the documentation has the program's rows, in order, and their targets."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import table
from bench.cases import CASES, GROUPS
from bench.figures import Case, Figure, Moment

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
MACHINE = "A machine with 2 cores"
MOMENT = Moment("2026-11-30 04:00", 11.0, 0.5)
EMPTY = f"# Figures\n\n{table.BEGIN}\n{table.END}\n\nWhat they do not say.\n"


def case(name: str, target: float | None = 0.5) -> Case:
    return Case(name, f"what {name} is", "the other", "ms", target, lambda repeats: (1.0, 2.0))


def test_the_page_has_the_rows_that_there_are() -> None:
    rows = table.rows(PAGE.read_text(encoding="utf-8"))
    expected = {
        name: (case.what, case.against, "" if case.target is None else f"{case.target:g}")
        for name, case in CASES.items()
    }
    assert [*rows] == [*expected]
    assert {name: (cells[1], cells[2], cells[6]) for name, cells in rows.items()} == expected


def test_the_page_marks_the_targets_that_are_missed_and_no_other() -> None:
    for name, cells in table.rows(PAGE.read_text(encoding="utf-8")).items():
        if cells[5] and cells[6]:
            missed = float(cells[5].strip("*")) > float(cells[6])
            assert cells[5].startswith("**") == missed, name


def test_what_the_page_says_elsewhere_is_said_of_rows_that_there_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    prose = text.partition(table.BEGIN)[0] + text.partition(table.END)[2]
    named = set(re.findall(r"--only ([\w-]+)", prose))
    assert named
    assert named <= {*CASES, *GROUPS}


def test_each_row_is_in_one_group() -> None:
    rows = [case.name for group in GROUPS.values() for case in group]
    assert len(rows) == len({*rows, *GROUPS}) - len(GROUPS)


def test_a_page_gets_figures_and_keeps_its_prose() -> None:
    one, two = case("one"), case("two")
    text = table.written(EMPTY, [one, two], {"one": Figure(one, 12.34, 120, MOMENT)}, MACHINE)
    assert text.startswith("# Figures\n\n")
    assert text.endswith("\n\nWhat they do not say.\n")
    assert f"\n{MACHINE}.\n" in text
    assert table.rows(text) == {
        "one": (
            *("`one`", "what one is", "the other", "12.3 ms", "120 ms", "0.10", "0.5"),
            *("2026-11-30 04:00", "11.0 ms", "0.5"),
        ),
        "two": (
            *("`two`", "what two is", "the other", "not measured", "", "", "0.5"),
            *("", "", ""),
        ),
    }


def test_a_row_that_is_not_measured_again_keeps_its_figures_on_the_same_machine_alone() -> None:
    one, two = case("one"), case("two", None)
    first = table.written(EMPTY, [one], {"one": Figure(one, 60, 100, MOMENT)}, MACHINE)
    figures = {"two": Figure(two, 3000, 1, MOMENT)}
    again = table.rows(table.written(first, [one, two], figures, MACHINE))
    assert again["one"][3:6] == ("60.0 ms", "100 ms", "**0.60**")
    assert again["two"][3:7] == ("3,000 ms", "1.0 ms", "3000.00", "")
    assert table.rows(table.written(first, [one], {}, MACHINE)) == table.rows(first)
    elsewhere = table.rows(table.written(first, [one], {}, "A machine with 20 cores"))
    assert elsewhere["one"][3] == "not measured"


def test_what_is_kept_is_held_against_the_target_of_today() -> None:
    first = table.written(
        EMPTY, [case("one")], {"one": Figure(case("one"), 6, 10, MOMENT)}, MACHINE
    )
    later = table.rows(table.written(first, [case("one", 0.7)], {}, MACHINE))
    assert later["one"][3:7] == ("6.0 ms", "10.0 ms", "0.60", "0.7")


def test_figures_of_what_a_row_does_not_measure_any_more_go() -> None:
    first = table.written(
        EMPTY, [case("one")], {"one": Figure(case("one"), 6, 10, MOMENT)}, MACHINE
    )
    other = replace(case("one"), against="another other")
    assert table.rows(table.written(first, [other], {}, MACHINE))["one"][3] == "not measured"


def test_a_page_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(table.NoTable, match="no place for the table"):
        table.written("# Figures\n", [case("one")], {}, MACHINE)


def test_a_row_with_a_bar_in_its_words_reads_as_it_was_written() -> None:
    piped = Case("piped", "a push", "`pg_dump | psql`", "s", 1.2, lambda repeats: (1.0, 2.0))
    text = table.written(EMPTY, [piped], {}, MACHINE)
    assert table.rows(text)["piped"][2] == "`pg_dump | psql`"


def test_the_program_measures_a_row_and_writes_it(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(EMPTY, encoding="utf-8")
    command = [sys.executable, "-m", "bench", "--only", "neon-import", "--repeats", "1"]
    done = subprocess.run(
        [*command, "--write", page], cwd=ROOT, capture_output=True, text=True, check=True
    )
    [printed] = [line for line in done.stdout.splitlines() if line.startswith("neon-import ")]
    rows = table.rows(page.read_text(encoding="utf-8"))
    assert [*rows] == [*CASES]
    _, what, _, ours, theirs, ratio, target, time, python_pass, _ = rows["neon-import"]
    assert what in printed
    assert ours in printed
    assert theirs in printed
    assert ratio.strip("*") in printed
    assert target == "1.15"
    assert time
    assert python_pass.endswith(" ms")
    assert rows["hot-path"][3] == "not measured"
