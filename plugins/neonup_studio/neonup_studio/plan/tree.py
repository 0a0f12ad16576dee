"""What a plan consists of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

WRONG = 10.0
"""An estimate that is wrong by this factor is marked."""
_MANY = 100
"""Rows below which a wrong estimate does no harm."""


@dataclass
class PlanNode:
    """A step of a plan.

    Args:
        title: what it does, as EXPLAIN's text says it, e.g. ``Hash Left Join``.
        target: what of, e.g. ``using orders_pkey on orders o``; or empty.
        role: what it is for its parent where that is not plain, e.g. ``CTE recent``.
        cost: estimated, until its last row.
        planned: rows that were estimated, each time it runs.
        rows: rows that there were, each time it ran; None: the plan was not carried out.
        loops: how many times it ran; 0: never.
        each: milliseconds of each time, with the steps below; None: not measured.
        wall: milliseconds between begin and end, with the steps below; None: not measured.
        own: milliseconds that it took itself, of `wall`.
        removed: what it threw away, by the words for it.
        buffers: what it read and wrote, in words; or empty.
        facts: everything else that Postgres says of it, by its own words.
        stopped: whether it was stopped early, so that fewer rows than estimated mean nothing.
        is_slowest: whether no other step took so long itself.
        writes: whether it changes a table.
        children: the steps below.
    """

    title: str
    target: str = ""
    role: str = ""
    cost: float = 0
    planned: float = 0
    rows: float | None = None
    loops: float = 1
    each: float | None = None
    wall: float | None = None
    own: float | None = None
    removed: dict[str, float] = field(default_factory=dict)
    buffers: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    is_slowest: bool = False
    writes: bool = False
    children: list[PlanNode] = field(default_factory=list)

    @property
    def never_ran(self) -> bool:
        """Whether the plan was carried out without it."""
        return self.rows is not None and self.loops == 0

    @property
    def wrong_by(self) -> float:
        """The factor by which there were more rows than estimated, or fewer (below 1).

        1 where the estimate is about right, or says nothing.
        """
        if self.rows is None or self.never_ran or not self.counts_rows:
            return 1
        actual, planned = max(self.rows, 1), max(self.planned, 1)
        factor = actual / planned
        if max(actual, planned) * max(self.loops, 1) < _MANY or 1 / WRONG < factor < WRONG:
            return 1
        return 1 if factor < 1 and self.stopped else factor

    @property
    def counts_rows(self) -> bool:
        """Whether its rows are counted: those of bitmaps and of writing steps are not."""
        return self.title not in {"BitmapAnd", "BitmapOr"} and not self.writes

    def nodes(self) -> Iterator[PlanNode]:
        """This step, and all below it, from the top."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


@dataclass(frozen=True)
class TriggerTime:
    """What a trigger took, e.g. that of a foreign key."""

    name: str
    milliseconds: float
    calls: int


@dataclass(frozen=True)
class PlanTree:
    """A plan.

    Args:
        root: its last step.
        planning: milliseconds for making it.
        execution: milliseconds for carrying it out; None: it was not.
        triggers: what they took.
        facts: what Postgres says beside the steps, by its own words: JIT, settings.
    """

    root: PlanNode
    planning: float | None = None
    execution: float | None = None
    triggers: list[TriggerTime] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def was_run(self) -> bool:
        """Whether it was carried out."""
        return self.root.rows is not None

    @property
    def writes(self) -> bool:
        """Whether it changes a table."""
        return any(node.writes for node in self.root.nodes())

    @property
    def measured(self) -> float:
        """Milliseconds that all steps took themselves."""
        return sum(node.own or 0 for node in self.root.nodes())

    def outline(self) -> Iterator[tuple[PlanNode, int]]:
        """The steps from the top, each with its depth."""
        waiting = [(self.root, 0)]
        while waiting:
            node, depth = waiting.pop()
            yield node, depth
            waiting += [(child, depth + 1) for child in reversed(node.children)]

    def share(self, node: PlanNode) -> float:
        """What a step took itself of the time of all, between 0 and 1."""
        whole = self.measured
        return (node.own or 0) / whole if whole else 0
