"""``python -m bench``: measure, and print one table."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bench import machine, table
from bench.cases import CASES, GROUPS
from bench.figures import HEADINGS, Case, Figure, line


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the rows as JSON.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([*GROUPS, *CASES]),
    help="Measure this row, or group.",
)
@click.option(
    "--repeats", default=7, show_default=True, type=click.IntRange(1), help="Runs of each side."
)
@click.option(
    "--write",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Put the rows into this page's table, each when it is measured.",
)
def main(as_json: bool, only: tuple[str, ...], repeats: int, page: Path | None) -> None:
    """Measure neonup beside what else does the same, in turns within one run.

    Each row is printed when it is measured. Times are medians of whole processes, from start to
    exit. A row that cannot be measured here says why, and the exit status is 1 then; a target that
    is missed is only marked.
    """
    _warn_if_busy()
    if not as_json:
        print(line(HEADINGS), flush=True)
    figures: dict[str, Figure] = {}
    failures: dict[str, str] = {}
    if page:
        described = machine.description()
        table.write(page, CASES.values(), figures, described)
    for case in _chosen(only):
        try:
            before = machine.now()
            figures[case.name] = Figure(case, *case.measure(repeats), before)
        except Exception as error:
            failures[case.name] = f"{type(error).__name__}: {error}"
            print(f"{case.name}: not measured: {failures[case.name]}", file=sys.stderr, flush=True)
            continue
        if not as_json:
            print(line(figures[case.name].cells()), flush=True)
        if page:
            table.write(page, CASES.values(), figures, described)
    if as_json:
        rows = [figure.as_dict() for figure in figures.values()]
        print(json.dumps({"rows": rows, "failures": failures}, indent=2))
    sys.exit(1 if failures else 0)


def _chosen(only: tuple[str, ...]) -> Iterator[Case]:
    names = {case.name for name in only for case in GROUPS.get(name, ())} | {*only}
    return (case for name, case in CASES.items() if not only or name in names)


def _warn_if_busy() -> None:
    cores, load = os.cpu_count() or 1, machine.load() or 0.0
    if load > cores / 2:
        print(
            f"bench: this machine is busy (load {load:.1f} on {cores} cores): times will be off",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
