"""Locks on files of neonup's home: among processes, threads and forked children."""

from __future__ import annotations

from neonup.locks import FileLock, LockTimeout

__all__ = ["FileLock", "LockTimeout"]
