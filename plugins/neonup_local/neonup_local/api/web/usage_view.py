"""A project's usage as charts."""

from __future__ import annotations

from neonup_local.api.web import wording
from neonup_local.api.web.charts import Meter
from neonup_local.neon.context import Neon
from neonup_local.neon.model import Branch, Project
from neonup_local.service import details


def meters(neon: Neon, project: Project) -> list[Meter]:
    """What is used, against the project's quota where it has one."""
    branches = neon.store.all(Branch, project_id=project.id)
    size = sum(details.size(neon.clusters.folder(one.cluster_id)) for one in branches)
    return [Meter("On disk", wording.size(size))]
