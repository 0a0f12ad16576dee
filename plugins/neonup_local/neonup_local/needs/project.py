"""What a project needs of its Postgres: what the setting ``extensions`` says, else its files."""

from __future__ import annotations

from neonup import Settings
from neonup_local.needs.search import Need, ProjectNeeds, search


def of_project(settings: Settings) -> ProjectNeeds:
    """What a project needs; its files are searched where the setting is not set.

    Args:
        settings: the project's.
    """
    if "extensions" in settings.sources:  # also where it is set to none
        place = f"the setting extensions, from {settings.source('extensions')}"
        return ProjectNeeds(tuple(Need(name, place) for name in settings.extensions))
    return search(settings.project)
