"""The error that Django's users see where there is no database."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError


class DatabaseUnavailable(ImproperlyConfigured, CommandError):
    """There is no database: what was looked at and what to do.

    A management command prints it without a traceback; ``runserver`` goes on and shows it on the
    pages that need the database.
    """
