"""A project as a plugin's command or tool sees it: its database, its lock, a provider's state."""

from __future__ import annotations

from neonup.env.exposure import remarks as exposure_remarks
from neonup.env.git import branch as git_branch
from neonup.env.git import branch_names as git_branch_names
from neonup.env.lock import project as project_lock
from neonup.providers.registry import provider_class
from neonup.providers.state_store import StateStore
from neonup.settings import state_name
from neonup.start.announce import describe, tell
from neonup.start.claim import offer as claim_offer
from neonup.start.flow import Start
from neonup.start.lookup import (
    ENVIRONMENT,
    database_variables,
    find_database,
    is_marked,
    is_same,
    publish,
    recorded_in,
)
from neonup.start.lookup import beside as local_file
from neonup.start.lookup import every as recorded_databases
from neonup.start.lookup import file_of as project_file
from neonup.start.lookup import recorded as recorded_database
from neonup.start.owner import check as check_owner
from neonup.start.permission import check_enabled
from neonup.start.version_service import restore, versions_of
from neonup.versions import REPLACED, named

__all__ = [
    "ENVIRONMENT", "REPLACED", "Start", "StateStore", "check_enabled", "check_owner",
    "claim_offer", "database_variables", "describe", "exposure_remarks", "find_database",
    "git_branch", "git_branch_names", "is_marked", "is_same", "local_file", "named", "project_file",
    "project_lock", "provider_class", "publish", "recorded_database", "recorded_databases",
    "recorded_in", "restore", "state_name", "tell", "versions_of",
]  # fmt: skip
