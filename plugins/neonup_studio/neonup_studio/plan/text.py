"""A plan as text, for a letter or a ticket."""

from __future__ import annotations

from collections.abc import Iterator

from neonup_studio.plan.tree import PlanNode, PlanTree
from neonup_studio.plan.words import number


def text(plan: PlanTree) -> str:
    """The plan, a line for each step and its facts, as EXPLAIN's text has it."""
    lines = list(_lines(plan))
    if plan.planning is not None:
        lines.append(f"Planning Time: {plan.planning:.3f} ms")
    lines += [
        f"Trigger {each.name}: time={each.milliseconds:.3f} calls={each.calls}"
        for each in plan.triggers
    ]
    if plan.execution is not None:
        lines.append(f"Execution Time: {plan.execution:.3f} ms")
    return "\n".join(lines) + "\n"


def _lines(plan: PlanTree) -> Iterator[str]:
    for node, depth in plan.outline():
        margin = "      " * (depth - 1) if depth else ""
        if node.role:
            yield f"{margin}  {node.role}"
        yield f"{margin}{'  ->  ' if depth else ''}{_line(node)}"
        inside = f"{margin}{'        ' if depth else '  '}"
        yield from (f"{inside}{name}: {fact}" for name, fact in node.facts.items())
        yield from (
            f"{inside}Rows Removed by {name.capitalize()}: {number(rows)}"
            for name, rows in node.removed.items()
        )
        if node.buffers:
            yield f"{inside}Buffers: {node.buffers}"
    yield from (f"{name}: {fact}" for name, fact in plan.facts.items())


def _line(node: PlanNode) -> str:
    line = f"{node.title} {node.target}".rstrip()
    line += f"  (cost={node.cost:.2f} rows={node.planned:.0f})"
    if node.rows is None:
        return line
    if node.never_ran:
        return f"{line} (never executed)"
    time = "" if node.each is None else f"time={node.each:.3f} "
    return f"{line} (actual {time}rows={number(node.rows)} loops={node.loops:.0f})"
