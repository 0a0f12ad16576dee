"""Django's own backend."""

from __future__ import annotations

import os
from typing import Any

from neonup import drivers
from tests.django_suite.common import *  # noqa: F403 - as settings modules do


def _entry(key: str, name: str) -> dict[str, Any]:
    entry = drivers.django(os.environ[key])
    return {**entry, "CONN_HEALTH_CHECKS": False, "TEST": {"NAME": name}}


DATABASES = {
    "default": _entry("DATABASE_URL", "suite_plain"),
    "other": _entry("OTHER_DATABASE_URL", "suite_plain_other"),
}
