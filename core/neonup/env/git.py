"""Whether git would publish the ``.env`` file."""

from __future__ import annotations

import subprocess
from pathlib import Path


def is_published(path: Path) -> bool:
    """Whether a file lies in a repository that does not ignore it; False without git."""
    if not any((folder / ".git").exists() for folder in path.absolute().parents):
        return False  # without starting a process, at every check of Django's
    try:
        status = subprocess.run(
            ["git", "check-ignore", "-q", path.name],
            cwd=path.parent,
            capture_output=True,
            check=False,
        ).returncode
    except OSError:
        return False
    return status == 1  # 0: ignored; 128: no repository
