"""A plan of Postgres's as a tree: `read` takes the JSON of EXPLAIN; it knows nothing of pages."""

from neonup_studio.plan.reading import read
from neonup_studio.plan.tree import PlanNode, PlanTree, TriggerTime

__all__ = ["PlanNode", "PlanTree", "TriggerTime", "read"]
