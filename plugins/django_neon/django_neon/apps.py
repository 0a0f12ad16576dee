"""The application: system checks, the command ``manage.py neonup``, versions before migrations."""

from __future__ import annotations

from django.apps import AppConfig, apps


class NeonConfig(AppConfig):
    """Registers what Django calls; nothing is looked for, let alone created, when it is ready."""

    name = "django_neon"
    verbose_name = "neonup"

    def ready(self) -> None:
        """Register the checks, and what is done before migrations."""
        from django.conf import settings
        from django.core.checks import register
        from django.db.models.signals import pre_migrate

        from django_neon import checkpoints, entry
        from django_neon.checks import check

        entry.adopt(settings.DATABASES)
        register(check, "neonup")
        # The signal comes once for each application with models: the first stands for all.
        configs = apps.get_app_configs()
        first = next((config for config in configs if config.models_module), None)
        pre_migrate.connect(checkpoints.before_migrate, sender=first)
