"""The base of the changes that build the data of a new cluster."""

from __future__ import annotations

from neonup_emulator.neon import ids
from neonup_emulator.neon.context import LocalNeon
from neonup_emulator.neon.model import Project
from neonup_emulator.neon.state.change import ProjectChange


class ClusterChange(ProjectChange):
    """A change that builds a cluster, which is removed where the change fails.

    Args:
        neon: the local Neon.
        project: the project that is changed.
    """

    def __init__(self, neon: LocalNeon, project: Project):
        self.neon = neon
        self.project = project
        self.cluster_id = ids.cluster()

    def undo(self) -> None:
        self.neon.clusters.remove(self.cluster_id)
