"""A complete Postgres: server, extensions and client programs, as files of this package."""

from pathlib import Path

__all__ = ["path"]


def path() -> Path:
    """The folder of the Postgres, with ``bin``, ``lib`` and ``share``.

    The programs find their libraries and each other relative to where they are.
    """
    return Path(__file__).parent / "pginstall"
