"""A home that is empty and goes with whoever uses it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neonup_local.engine import template
from neonup_local.service import home as homes


def furnish(own: Path, home: Path) -> None:
    """Let a new home use another one's engines and templates, so that nothing is copied twice.

    The superuser's password comes with them: a template that is made here stays in the other home,
    and knows the password with which it was made.
    """
    homes.make_folder(own)
    homes.make_folder(home)
    for name in ("engines", "templates"):
        homes.make_folder(home / name)
        (own / name).symlink_to(home / name, target_is_directory=True)
    template.admin_password(home)  # written down there, where there is none yet
    shutil.copy2(template.admin_file(home), own)


@contextmanager
def of(home: Path) -> Iterator[Path]:
    """An empty home with the engines and templates of another one, for the block."""
    own = Path(tempfile.mkdtemp(prefix="neonup-"))
    homes.restrict(own)
    try:
        furnish(own, home)
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
