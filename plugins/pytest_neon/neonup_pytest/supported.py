"""The versions of other packages that this plugin works with; older ones are refused with words.

What keeps tests away from the application's own database relies on what these packages answer, and
pip installs a version that a project pins beside this plugin with no more than a warning.
"""

from __future__ import annotations

import re
import sys

FLOORS = {
    "pytest": (7, 4),
    "pytest-xdist": (3, 0),
    "pytest-django": (4, 5),
    "pytest-asyncio": (0, 24),
    "Django": (4, 2),
}
"""The oldest versions that tests have been run with, see tests/pytest/test_other_versions.py."""

_MODULES = {
    "pytest-xdist": "xdist",
    "pytest-django": "pytest_django",
    "pytest-asyncio": "pytest_asyncio",
    "Django": "django",
}


def refusal(package: str) -> str | None:
    """Why a package that is imported by now cannot be used; None if it can, or is not imported."""
    module = sys.modules.get(_MODULES.get(package, package))
    if module is None:
        return None
    version = str(getattr(module, "__version__", "unknown"))
    numbers = re.match(r"(\d+)\.(\d+)", version)
    floor = FLOORS[package]
    if numbers is not None and (int(numbers[1]), int(numbers[2])) >= floor:
        return None
    least = ".".join(map(str, floor))
    return (
        f"neonup-pytest does not work with {package} {version}: it needs {least} or newer.\n"
        f'pip install "{package}>={least}", or pip uninstall neonup-pytest'
    )


def require(*packages: str) -> None:
    """Make sure that the packages which are imported by now can be used.

    Raises:
        NeonupError: one of them cannot.
    """
    for package in packages:
        if message := refusal(package):
            from neonup import NeonupError  # a run that uses nothing of it does not pay for it

            raise NeonupError(message)
