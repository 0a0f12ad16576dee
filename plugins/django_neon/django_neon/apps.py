"""The application: system checks and the command ``manage.py neonup``."""

from __future__ import annotations

from django.apps import AppConfig


class NeonConfig(AppConfig):
    """Registers the checks; nothing is looked for, let alone created, when it is ready."""

    name = "django_neon"
    verbose_name = "neonup"

    def ready(self) -> None:
        """Register the checks."""
        from django.core.checks import register

        from django_neon.checks import check

        register(check, "neonup")
