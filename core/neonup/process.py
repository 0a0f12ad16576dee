"""The process that imported neonup first; a server's forked workers are other ones."""

from __future__ import annotations

import os

IMPORTED_BY = os.getpid()
"""Its id. Read by `neonup.start.once`, which a worker may import only after the fork."""
