"""What a project's command for migrations works on."""

from __future__ import annotations

from neonup.start.alembic import scripts as alembic_scripts

__all__ = ["alembic_scripts"]
