"""Neon's API v2: `NeonClient` and `AsyncNeonClient`, its answers, and its errors by meaning.

with NeonClient() as neon:
    created = neon.projects.create(name="shop")
    neon.operations.wait(created.operations)
    for project in neon.projects.list():
        print(project.id, project.name)
"""

from __future__ import annotations

from neonup_cloud.api import answers, claims, errors
from neonup_cloud.api.client import AsyncNeonClient, NeonClient

__all__ = ["AsyncNeonClient", "NeonClient", "answers", "claims", "errors"]
