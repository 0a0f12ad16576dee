"""Postgres's client programs, and what they report, for a plugin that reads or writes databases."""

from __future__ import annotations

from neonup.clients.psql import (
    SETTING,
    candidates,
    client_command,
    is_here,
    knows_tls,
    psql_command,
)
from neonup.clients.psql import environment as client_environment
from neonup.postgres.django_operations import DJANGO_OPERATIONS
from neonup.postgres.reports import ICU, SqlFailure, first_failure, missing_feature
from neonup.postgres.session import PsqlSession, ServerLost, StatementFailed

__all__ = [
    "DJANGO_OPERATIONS", "ICU", "SETTING", "PsqlSession", "ServerLost", "SqlFailure",
    "StatementFailed", "candidates", "client_command", "client_environment", "first_failure",
    "is_here", "knows_tls", "missing_feature", "psql_command",
]  # fmt: skip
