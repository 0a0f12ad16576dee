"""This project's backend."""

from __future__ import annotations

import django_neon
from tests.django_suite.common import *  # noqa: F403 - as settings modules do

DATABASES = {
    "default": django_neon.database(conn_health_checks=False, TEST={"NAME": "suite_neon"}),
    "other": django_neon.database(
        "other", conn_health_checks=False, TEST={"NAME": "suite_neon_other"}
    ),
}
