"""How a step of a plan is called, as EXPLAIN's text does, and what else is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 2000
"""Characters of a condition."""

_AGGREGATES = {"Hashed": "HashAggregate", "Sorted": "GroupAggregate", "Mixed": "MixedAggregate"}
_SETS = {"Hashed": "HashSetOp"}
_JOINS = {"Hash Join": "Hash", "Merge Join": "Merge", "Nested Loop": "Nested Loop"}
_BLOCKS = (
    ("Shared Hit Blocks", "hit"),
    ("Shared Read Blocks", "read"),
    ("Shared Dirtied Blocks", "dirtied"),
    ("Shared Written Blocks", "written"),
    ("Local Hit Blocks", "local hit"),
    ("Local Read Blocks", "local read"),
    ("Local Dirtied Blocks", "local dirtied"),
    ("Local Written Blocks", "local written"),
    ("Temp Read Blocks", "temporary read"),
    ("Temp Written Blocks", "temporary written"),
)
_SAID = frozenset(
    {
        *("Node Type", "Plans", "Parent Relationship", "Subplan Name", "Parallel Aware"),
        *("Async Capable", "Join Type", "Strategy", "Partial Mode", "Operation", "Command"),
        *("Scan Direction", "Relation Name", "Schema", "Alias", "Index Name", "CTE Name"),
        *("Function Name", "Table Function Name", "Tuplestore Name", "Startup Cost", "Total Cost"),
        *("Plan Rows", "Plan Width", "Actual Startup Time", "Actual Total Time", "Actual Rows"),
        *("Actual Loops", "Inner Unique", "Single Copy", "Output", "Custom Plan Provider"),
        *(name for name, _ in _BLOCKS),
    }
)
"""What is said elsewhere, or to nobody's use."""
_REMOVED = "Rows Removed by "
_PLANNED = "Original "
_KILOBYTES = frozenset({"Sort Space Used", "Peak Memory Usage", "Disk Usage"})


def title(node: Mapping[str, Any]) -> str:
    """What a step does, e.g. ``Hash Left Join``."""
    kind = str(node["Node Type"])
    strategy = node.get("Strategy", "")
    if kind == "ModifyTable":
        return str(node.get("Operation", kind))
    if kind == "Aggregate":
        kind = _AGGREGATES.get(strategy, kind)
    elif kind == "SetOp":
        kind = f"{_SETS.get(strategy, kind)} {node.get('Command', '')}".rstrip()
    elif kind == "Custom Scan":
        kind = f"{kind} ({node.get('Custom Plan Provider', '')})"
    elif kind in _JOINS:
        join = node.get("Join Type", "Inner")
        kind = kind if join == "Inner" else f"{_JOINS[kind]} {join} Join"
    partial = node.get("Partial Mode", "Simple")
    before = "" if partial == "Simple" else f"{partial} "
    parallel = "Parallel " if node.get("Parallel Aware") else ""
    backward = " Backward" if node.get("Scan Direction") == "Backward" else ""
    return f"{before}{parallel}{kind}{backward}"


def target(node: Mapping[str, Any]) -> str:
    """What a step reads or writes, e.g. ``using orders_pkey on orders o``."""
    index = node.get("Index Name")
    names = ("Relation Name", "CTE Name", "Function Name", "Table Function Name", "Tuplestore Name")
    name = next((node[each] for each in names if each in node), None)
    alias = node.get("Alias")
    words = []
    if index is not None:
        words += ["using" if name is not None else "on", str(index)]
    if name is not None:
        words += ["on", str(name)]
        if alias not in {None, name}:
            words.append(str(alias))
    elif alias is not None:
        words += ["on", str(alias)]
    return " ".join(words)


def role(node: Mapping[str, Any]) -> str:
    """What a step is for its parent, where it is not plainly its input."""
    if name := node.get("Subplan Name"):
        return str(name)
    return "" if node.get("Parent Relationship") != "SubPlan" else "SubPlan"


def removed(node: Mapping[str, Any]) -> dict[str, float]:
    """Rows that were thrown away each time, by what did so, e.g. ``filter``."""
    return {
        name.removeprefix(_REMOVED).lower(): float(count)
        for name, count in node.items()
        if name.startswith(_REMOVED) and count
    }


def buffers(node: Mapping[str, Any]) -> str:
    """Blocks of 8 kB that were used, e.g. ``12 hit, 3 read``."""
    return ", ".join(f"{node[name]:,} {word}" for name, word in _BLOCKS if node.get(name))


def facts(node: Mapping[str, Any]) -> dict[str, str]:
    """Everything else, as Postgres calls it; not what was first planned and then done."""
    return {
        name: f"{written(value)} kB" if name in _KILOBYTES else written(value)
        for name, value in node.items()
        if name not in _SAID
        and not name.startswith(_REMOVED)
        and value not in (False, None, [])
        and not (name.startswith(_PLANNED) and value == node.get(name.removeprefix(_PLANNED)))
    }


def written(value: Any) -> str:
    """A value of the JSON, as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        text = "; ".join(f"{name}: {written(each)}" for name, each in value.items())
    elif isinstance(value, list):
        text = ", ".join(map(written, value))
    elif isinstance(value, (int, float)):
        text = number(value)
    else:
        text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def number(value: float) -> str:
    """For example ``1,200`` or ``0.33``."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def time(milliseconds: float) -> str:
    """For example ``0.04 ms`` or ``12.3 s``."""
    if milliseconds >= 10_000:
        return f"{milliseconds / 1000:,.1f} s"
    return f"{milliseconds:,.2f} ms" if milliseconds < 10 else f"{milliseconds:,.0f} ms"


def rows(count: float) -> str:
    """For example ``1 row`` or ``1,200 rows``."""
    return f"{number(count)} {'row' if count == 1 else 'rows'}"


def factor(value: float) -> str:
    """For example ``30 times more rows``: by how much an estimate was wrong."""
    return f"{value:,.0f} times more rows" if value > 1 else f"{1 / value:,.0f} times fewer rows"
