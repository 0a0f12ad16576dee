"""docs/pitfalls.md: each of the 25 points names tests, and the tests exist."""

from __future__ import annotations

import ast
import re

from docsite.navigation import ROOT

PAGE = ROOT / "docs" / "pitfalls.md"
_POINT = re.compile(r"^\| (?P<number>\d+) \|.*\| (?P<tests>[^|]+) \|$", re.M)


def test_every_point_has_tests_that_exist() -> None:
    points = list(_POINT.finditer(PAGE.read_text("utf-8")))
    assert [int(point["number"]) for point in points] == list(range(1, 26))
    for point in points:
        named = re.findall(r"`(tests/\S+)::(\w+)`", point["tests"])
        assert named, point["number"]
        for file, name in named:
            tree = ast.parse((ROOT / file).read_text("utf-8"))
            functions = {
                node.name
                for node in ast.walk(tree)
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert name in functions, f"point {point['number']}: {file}::{name}"
