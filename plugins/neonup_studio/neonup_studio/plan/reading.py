"""From the JSON of EXPLAIN to the tree, with the time that each step took itself.

Postgres measures a step with those below it, per loop, and in each process of a parallel plan:
what a step took itself is what is left without those below. What runs once for several (InitPlan,
CTE) hangs on one step and runs inside of those that name it: they are relieved of its time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from neonup_studio.plan import words
from neonup_studio.plan.tree import PlanNode, PlanTree, TriggerTime

_RUNS_ONCE = "InitPlan"
_TAKES_ALL = frozenset({"Sort", "Hash", "HashAggregate", "Aggregate", "Materialize", "WindowAgg"})
"""Steps that take all rows from below before they give one."""
_INIT_NUMBER = re.compile(r"\(returns ([$\d,]+)\)")


def read(text: str) -> PlanTree:
    """The plan that EXPLAIN (FORMAT JSON) has answered.

    Args:
        text: the JSON.

    Raises:
        ValueError: it is none.
    """
    try:
        whole = json.loads(text)[0]
        reader = _Reader()
        root = reader.node(whole["Plan"], processes=1, stopped=False)
        reader.settle()
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"This is no plan: {type(error).__name__}") from None
    _mark_slowest(root)
    triggers = [_trigger(each) for each in whole.get("Triggers", ())]
    facts = {
        name: words.written(whole[name])
        for name in ("JIT", "Settings", "Planning")
        if whole.get(name)
    }
    if "Planning" in facts:
        facts["Planning"] = words.buffers(whole["Planning"])
    return PlanTree(
        root,
        whole.get("Planning Time"),
        whole.get("Execution Time"),
        triggers,
        {name: fact for name, fact in facts.items() if fact},
    )


class _Reader:
    """Makes the tree; and remembers what runs inside of other steps than it hangs on."""

    def __init__(self) -> None:
        self._once: list[tuple[PlanNode, PlanNode, Mapping[str, Any]]] = []
        self._made: list[tuple[PlanNode, Mapping[str, Any]]] = []

    def node(self, source: Mapping[str, Any], *, processes: float, stopped: bool) -> PlanNode:
        """A step, and those below.

        Args:
            source: of the JSON.
            processes: in how many it runs.
            stopped: whether the step above may stop it early.
        """
        made = _step(source, processes, stopped)
        self._made.append((made, source))
        if "Workers Launched" in source:
            processes = float(source["Workers Launched"]) + 1
        direct = 0.0
        for number, below in enumerate(source.get("Plans", ())):
            relation = below.get("Parent Relationship", "")
            early = _is_stopped(source, relation, number, stopped)
            once = relation == _RUNS_ONCE
            child = self.node(below, processes=1 if once else processes, stopped=early)
            made.children.append(child)
            if once:
                self._once.append((made, child, below))
            else:
                direct += child.wall or 0
        if made.wall is not None:
            made.own = max(made.wall - direct, 0)
        return made

    def settle(self) -> None:
        """Relieve those that have waited for what runs once of its time."""
        for owner, child, source in reversed(self._once):  # the inner ones first
            left = child.wall or 0
            inside = {id(node) for node in child.nodes()}  # a recursive CTE names itself
            payers = [
                node
                for node, each in self._made
                if id(node) not in inside and node.own and _names(each, source)
            ]
            for payer in [*payers, owner]:
                paid = min(left, payer.own or 0)
                if payer.own is not None:
                    payer.own -= paid
                left -= paid


def _step(source: Mapping[str, Any], processes: float, stopped: bool) -> PlanNode:
    loops = float(source.get("Actual Loops", 1))
    each = source.get("Actual Total Time")
    # Loops of all processes are counted, which run at the same time.
    rounds = max(loops / processes, 1) if loops else 0
    rows = source.get("Actual Rows")
    return PlanNode(
        words.title(source),
        words.target(source),
        words.role(source),
        cost=float(source.get("Total Cost", 0)),
        planned=float(source.get("Plan Rows", 0)),
        rows=None if rows is None else float(rows),
        loops=loops,
        each=None if each is None else float(each),
        wall=None if each is None else float(each) * rounds,
        removed=words.removed(source),
        buffers=words.buffers(source),
        facts=words.facts(source),
        stopped=stopped,
        writes=source["Node Type"] == "ModifyTable",
    )


def _is_stopped(source: Mapping[str, Any], relation: str, number: int, stopped: bool) -> bool:
    """Whether a step below may be stopped before it has given all of its rows."""
    if relation in {"SubPlan", _RUNS_ONCE}:
        return True  # EXISTS takes one row
    if source["Node Type"] == "Limit" or source["Node Type"] == "Merge Join":
        return True
    if number == 1 and source.get("Join Type") in {"Semi", "Anti"}:
        return True
    if source["Node Type"] == "Nested Loop" and number == 1 and source.get("Inner Unique"):
        return True
    return stopped and words.title(source).split(" ")[-1] not in _TAKES_ALL


def _names(source: Mapping[str, Any], once: Mapping[str, Any]) -> bool:
    """Whether a step waits for what runs once: by its name or its parameter."""
    name = str(once.get("Subplan Name", ""))
    if name.startswith("CTE "):
        return source.get("CTE Name") == name.removeprefix("CTE ")
    returned = _INIT_NUMBER.search(name)  # until Postgres 16: InitPlan 1 (returns $0)
    signs = returned[1].split(",") if returned else [f"({name})"]
    texts = [
        text
        for key, text in source.items()
        if isinstance(text, str) and key not in {"Subplan Name", "Alias", "Relation Name"}
    ]
    return any(re.search(rf"{re.escape(sign)}(?!\d)", text) for sign in signs for text in texts)


def _mark_slowest(root: PlanNode) -> None:
    slowest = max(root.nodes(), key=lambda node: node.own or 0)
    slowest.is_slowest = bool(slowest.own) and len(list(root.nodes())) > 1


def _trigger(source: Mapping[str, Any]) -> TriggerTime:
    name = str(source.get("Constraint Name") or source.get("Trigger Name") or "")
    relation = source.get("Relation")
    shown = f"{name} on {relation}" if relation else name
    return TriggerTime(shown, float(source.get("Time", 0)), int(source.get("Calls", 0)))
