"""``python -m bench``: measure, and print one table."""

from __future__ import annotations

import json
import os
import sys

import click

from bench.cases import CASES, GROUPS
from bench.figures import HEADINGS, line


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
def main(as_json: bool, only: tuple[str, ...], repeats: int) -> None:
    """Measure neonup beside what else does the same, in turns within one run.

    Each row is printed when it is measured. Times are medians of whole processes, from start to
    exit. A row that cannot be measured here says why, and the exit status is 1 then; a target that
    is missed is only marked.
    """
    _warn_if_busy()
    chosen = {row for name in only for row in GROUPS.get(name, (name,))} or {*CASES}
    if not as_json:
        print(line(HEADINGS), flush=True)
    figures = {}
    failures = {}
    for name, measure in CASES.items():
        if name not in chosen:
            continue
        try:
            figures[name] = measure(repeats)
        except Exception as error:
            failures[name] = f"{type(error).__name__}: {error}"
            print(f"{name}: not measured: {failures[name]}", file=sys.stderr, flush=True)
        else:
            if not as_json:
                print(line(figures[name].cells(name)), flush=True)
    if as_json:
        rows = [figure.as_dict(name) for name, figure in figures.items()]
        print(json.dumps({"rows": rows, "failures": failures}, indent=2))
    sys.exit(1 if failures else 0)


def _warn_if_busy() -> None:
    cores = os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > cores / 2:
        print(
            f"bench: this machine is busy (load {load:.1f} on {cores} cores): times will be off",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
